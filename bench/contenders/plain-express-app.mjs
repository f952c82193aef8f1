// What most people would write, and with care: node plain-express-app.mjs <port> <backend>. Plain JavaScript,
// so that Node runs it without a loader.

import axios from 'axios'
import express from 'express'
import { LRUCache } from 'lru-cache'

const [port, backend] = process.argv.slice(2)

/** Milliseconds. */
const ALLOW_TTL = 3_600_000
const DENY_TTL = 300_000

const cache = new LRUCache({ max: 100_000, ttl: ALLOW_TTL })
const app = express()

app.get('/auth', async (request, response) => {
  const address = request.get('X-Original-Ip')
  const origin = request.get('X-Original-Origin')
  const uri = request.get('X-Original-Uri') ?? ''
  const userAgent = request.get('X-Original-Ua') ?? ''
  const key = `${address} ${origin}${uri} ${userAgent}`
  const known = cache.get(key)
  if (known !== undefined) {
    response.sendStatus(Number(known))
    return
  }
  const mark = uri.indexOf('?')
  try {
    const answer = await axios.get(`${backend}${mark === -1 ? '' : uri.slice(mark)}`, {
      headers: {
        'X-Real-Ip': address,
        'X-Real-Path': request.get('X-Original-Path'),
        'X-Real-Origin': origin,
        'X-Real-Ua': userAgent,
      },
      timeout: 2000,
      maxRedirects: 0,
      validateStatus: () => true,
    })
    const status = answer.status === 200 ? 200 : 403
    cache.set(key, status, { ttl: status === 200 ? ALLOW_TTL : DENY_TTL })
    response.sendStatus(status)
  } catch {
    response.sendStatus(403)
  }
})

app.listen(Number(port), '127.0.0.1')
