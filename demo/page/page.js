// @ts-nocheck: runs in the browser; the project's types know no DOM.

import { createControls } from './controls.js'
import { createDecisionList } from './decision-list.js'
import { createPlayer, decisionOf, newViewer } from './player.js'
import { explain } from './reasons.js'

const find = (id) => document.getElementById(id)
const form = find('viewer')
const tokens = { 123: 'a valid token', wrong: 'a wrong token', '': 'no token' }

/** The URL of the playlist for the chosen viewer, at the chosen edge where there are several. */
function chosen() {
  const token = new FormData(form).get('token')
  const query = token === '' ? '' : `?token=${token}`
  return { url: `${edgeUrl()}live/test/index.m3u8${query}`, companion: tokens[token] }
}

function edgeUrl() {
  const port = new FormData(form).get('edge')
  return port === null ? '' : `${location.protocol}//${location.hostname}:${port}/`
}

/** A choice between the edges, given their ports. The one that served this page is chosen. */
function showEdges(ports) {
  if (find('edges').querySelector('input') !== null) return
  ports.forEach((port, at) => {
    const label = document.createElement('label')
    const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'edge', value: port })
    const text = Object.assign(document.createElement('span'), { textContent: `edge ${at + 1}` })
    input.checked = String(port) === location.port
    label.append(input, text)
    find('edges').append(label)
  })
  for (const id of ['edges', 'edges-hint']) find(id).hidden = false
}

function sentence(status, decision) {
  const why = decision === undefined ? '' : explain(decision)
  if (status === 403) return `403, ${why || 'refused'}`
  if (status === 200) return `200, ${why || 'allowed'}`
  return status === 0 ? 'No answer: is nginx running?' : `${status}, no picture`
}

let companion = ''
const player = createPlayer(find('video'), ({ kind, status, decision }) => {
  const texts = {
    opening: `Asking, with ${companion} …`,
    playing: `Playing, with ${companion}.`,
    waiting: 'Waiting for the stream …',
  }
  const text = texts[kind] ?? `${sentence(status, decision)}.`
  find('status').textContent = text
  find('status').parentElement.dataset.kind = kind
  find('refusal').hidden = kind !== 'refused'
  find('refusal').firstElementChild.textContent = status || 'No answer'
  find('refusal').lastElementChild.hidden = status !== 403
})
function play() {
  const asked = chosen()
  companion = asked.companion
  player.play(asked.url)
}
find('edges').addEventListener('change', () => {
  companion = tokens['']
  player.goOn(`${edgeUrl()}live/test/index.m3u8`)
})
form.addEventListener('submit', (event) => {
  event.preventDefault()
  play()
})
find('newcomer').addEventListener('click', async () => {
  const asked = chosen()
  const headers = { 'X-Playback-Session-Id': newViewer() }
  const answer = await fetch(asked.url, { headers, cache: 'no-store' }).catch(() => ({ status: 0 }))
  find('newcomer-said').textContent =
    `Another, with ${asked.companion}: ${sentence(answer.status, decisionOf(answer))}.`
})

const list = createDecisionList(find('decisions'), find('empty'))
const controls = createControls()
const events = new EventSource('demo/events')
events.addEventListener('open', () => {
  find('link').textContent = 'live, as nginx logs them'
})
events.addEventListener('error', () => {
  find('link').textContent = 'the demo does not answer; waiting for it …'
})
events.addEventListener('state', ({ data }) => {
  const state = JSON.parse(data)
  controls.show(state)
  if (state.edges !== undefined) showEdges(state.edges)
})
events.addEventListener('decision', ({ data }) => list.add(JSON.parse(data)))

play()
