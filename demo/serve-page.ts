// Serves the page, the stream and the decisions of an nginx that runs elsewhere: the compose stack starts it.
// No buttons.
//
//   DOCUMENT_ROOT=/srv/www ACCESS_LOG=/var/log/alta-auth/access.log LISTEN=0.0.0.0:6001 node
//   demo/serve-page.ts
//
// Node 24 runs it as it is. It writes only below DOCUMENT_ROOT. Of the repository it needs demo/,
// live-page/base.css and the npm package hls.js.
//
//   DOCUMENT_ROOT   nginx's document root. Page and player go there, and the live stream to live/test/
//   ACCESS_LOG      nginx's access log in the format alta_auth. It may appear later
//   EDGES           in its place: several nginx, each as PORT=/path/of/access.log, with a space in between
//   LISTEN          host:port where nginx reaches it; 127.0.0.1:6001 unless set
//
// nginx serves DOCUMENT_ROOT, protects /live/ and passes /demo/ on, unprotected and with the browser's own
// Host:
//
//   location /demo/ { proxy_pass http://demo:6001; proxy_set_header Host $http_host; }
//
// It is ready when GET /demo/state, with Host: 127.0.0.1, gives 200.

import { join } from 'node:path'
import { startBroadcast } from './broadcast.ts'
import { fillDocumentRoot, loop } from './fill-document-root.ts'
import { createPageServer } from './page-server.ts'
import { readEdges } from './read-edges.ts'

const say = (line: string): void => void process.stdout.write(`demo: ${line}\n`)
function giveUp(sentence: string): never {
  process.stderr.write(`demo: ${sentence}\n`)
  process.exit(1)
}

const { DOCUMENT_ROOT: root, ACCESS_LOG, EDGES, LISTEN = '127.0.0.1:6001' } = process.env
if (!root) giveUp('DOCUMENT_ROOT is not set: name the folder that nginx serves.')
const accessLog = EDGES ? tryReadEdges(EDGES) : ACCESS_LOG
if (!accessLog) giveUp('ACCESS_LOG is not set: name the file that nginx writes in the format alta_auth.')
const [, host, port] = /^(?:\[?([^\]]+?)\]?:)(\d{1,5})$/.exec(LISTEN) ?? []
if (host === undefined) giveUp(`LISTEN is "${LISTEN}": write it as host:port, such as 0.0.0.0:6001.`)

try {
  fillDocumentRoot(root)
  startBroadcast({
    loop,
    channel: join(root, 'live', 'test'),
    onError: (error) => say(`the stream stands still: ${error}`),
  })
} catch (error) {
  giveUp(
    `${root} cannot be filled (${error instanceof Error ? error.message : error}): is it writable for this user?`,
  )
}
const { server, end } = createPageServer({ accessLog })
server.on('error', (error) =>
  giveUp(`${LISTEN} cannot be listened on (${error.message}): set LISTEN to another.`),
)
server.listen(Number(port), host, () => say(`the page is in ${root}, the decisions are at ${LISTEN}`))

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    end()
    process.exit(0)
  })
}

function tryReadEdges(text: string): ReturnType<typeof readEdges> {
  try {
    return readEdges(text)
  } catch (error) {
    return giveUp(error instanceof Error ? error.message : String(error))
  }
}
