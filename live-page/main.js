import { ApiError, createApi } from './api.js'
import { createBackends } from './backends.js'
import { createChart } from './chart.js'
import { createCloseDialog } from './close-dialog.js'
import { createConnection } from './connection.js'
import { createDefaultAction } from './default-action.js'
import { createDenials } from './denials.js'
import { find, setText } from './elements.js'
import { createExplainDialog } from './explain-dialog.js'
import { showFigures } from './figures.js'
import { count, counted, plain } from './format.js'
import { showGates, startSearch } from './gates.js'
import { createLink } from './link.js'
import { createLock } from './lock.js'
import { allowed, createRates, denied } from './rates.js'
import { showRefusedUsers } from './refused-users.js'
import { createSessionList } from './session-list.js'
import { createSessionNews } from './session-news.js'
import { createSessionTable } from './session-table.js'
import { showStoreNotice } from './store-notice.js'
import { createToken } from './token.js'

const token = createToken()
const api = createApi(token)
const explain = createExplainDialog(api)
const denials = createDenials(({ denial, address, path }) => {
  void explain.open(
    plain(
      `${path || 'A request that could not be read'}${address === '' ? '' : ` for ${address}`}, as the gate would decide now`,
    ),
    { denial: String(denial) },
  )
})
const list = createSessionList(() => {
  table.changed()
  showSize()
})
const closing = createCloseDialog(api, {
  onClosed(id) {
    list.drop([id])
    announce('The session is closed.')
  },
  onDone: () => table.focus(),
})
const table = createSessionTable(list, (id) => {
  const session = list.find(id)
  if (session !== undefined) closing.open(session)
})
const news = createSessionNews(api, list)
const backends = createBackends(find('backends', HTMLElement), announce)
const defaultAction = createDefaultAction()
const rates = createRates()
const charts = [
  createChart(find('allow', HTMLElement), allowed),
  createChart(find('deny', HTMLElement), denied),
]

/**
 * Says a sentence to screen readers.
 * @param {string} sentence
 */
function announce(sentence) {
  setText(find('announcement', HTMLElement), sentence)
}

function showSize() {
  const shown = list.shown().length
  const sessions = counted(list.size(), 'session')
  const all = list.isCut() ? `the newest ${sessions}; the gate has more` : sessions
  setText(find('sessions-said', HTMLElement), list.isFiltered() ? `${count(shown)} of ${all}` : all)
  find('no-sessions', HTMLElement).hidden = shown > 0
  setText(find('no-sessions', HTMLElement), list.isFiltered() ? 'No session matches.' : 'Nobody is playing.')
}

async function fetchAll() {
  try {
    await Promise.all([
      news.fetchAll(),
      api.get('denials').then((known) => denials.replace(known.denials)),
      fetchRefusedUsers(),
    ])
  } catch (error) {
    // A lost gate is the matter of the connection. Everything is fetched again when the gate is back.
    if (error instanceof ApiError) setText(find('sessions-said', HTMLElement), error.message)
    else if (!(error instanceof TypeError)) throw error
  }
}

/** The list of refused users is fetched no more often than this; milliseconds. */
const REFUSED_EVERY = 4_000
let refusedAgainAt = 0

async function fetchRefusedUsers() {
  showRefusedUsers((await api.get('refused-users')).users)
}

/** @param {readonly import('./messages.js').Denial[]} denied */
function noteRefused(denied) {
  if (performance.now() < refusedAgainAt || !denied.some(({ reason }) => reason === 'session-limit')) return
  refusedAgainAt = performance.now() + REFUSED_EVERY
  // A lost gate is the matter of the connection.
  setTimeout(() => void fetchRefusedUsers().catch(() => {}), REFUSED_EVERY / 2)
}

/** @param {import('./messages.js').GateState} state */
function showState(state) {
  const now = Date.parse(state.time)
  rates.add(state.rates, now)
  for (const chart of charts) chart.draw(rates.seconds())
  table.tick(now)
  backends.show(state.backends, state.deadline)
  defaultAction.show(state)
  showStoreNotice(state)
  showGates(state.gates)
  showFigures(state)
}

/** @type {Readonly<Record<string, (data: any) => void>>} */
const readers = {
  state: showState,
  opened: ({ sessions }) => list.put(sessions),
  ended: ({ sessions }) =>
    list.drop(sessions.map((/** @type {{ session: string }} */ { session }) => session)),
  reload: () => void fetchAll(),
  denied(data) {
    denials.add(data.denials)
    noteRefused(data.denials)
  },
}
const connection = createConnection({
  api,
  onEvent: (name, data) => readers[name]?.(data),
  onState(state) {
    link.show(state)
    if (state.kind === 'locked') lock.ask()
    if (state.kind !== 'live') return
    lock.open()
    denials.begin()
    void fetchAll()
  },
})
const link = createLink(connection.start)
const lock = createLock(token, connection.start)

find('filter', HTMLInputElement).addEventListener('input', () =>
  list.filter(find('filter', HTMLInputElement).value),
)
find('ask', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault()
  const given = new FormData(find('ask', HTMLFormElement))
  const [url = '', ip = '', ua = ''] = ['url', 'ip', 'ua'].map((name) => String(given.get(name) ?? '').trim())
  void explain.open(plain(url.split('?')[0] ?? ''), { url, ip, ua })
})

startSearch(api)
connection.start()
