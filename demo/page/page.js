// @ts-nocheck: runs in the browser; the project's types know no DOM.

import { createControls } from './controls.js'
import { createDecisionList } from './decision-list.js'
import { createPlayer, decisionOf, newViewer } from './player.js'
import { explain } from './reasons.js'

const find = (id) => document.getElementById(id)
const form = find('viewer')
const tokens = { 123: 'a valid token', wrong: 'a wrong token', '': 'no token' }

/** The URL of the playlist for the chosen viewer. */
function chosen() {
  const token = new FormData(form).get('token')
  const query = token === '' ? '' : `?token=${token}`
  return { url: `live/test/index.m3u8${query}`, companion: tokens[token] }
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
events.addEventListener('state', ({ data }) => controls.show(JSON.parse(data)))
events.addEventListener('decision', ({ data }) => list.add(JSON.parse(data)))

play()
