import type { Debian } from './debian.ts'

const backend = `require('node:http').createServer((request, response) => {
  require('node:fs').appendFileSync('/tmp/questions', request.url + '\\n')
  response.writeHead(new URL(request.url, 'http://backend').searchParams.get('token') === '123' ? 200 : 403).end()
}).listen(6000, '127.0.0.1')`

/**
 * What docs/install.md asks for: a playlist below /srv/media, and a backend that lets `token=123` in. It
 * writes down its questions in /tmp/questions.
 */
export async function giveChannel(debian: Debian): Promise<void> {
  await debian.start('node', '-e', backend)
  await debian.run('mkdir -p /srv/media/live/channel; echo "#EXTM3U" > /srv/media/live/channel/index.m3u8')
}
