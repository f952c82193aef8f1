// What the shipped snippets send, read as the gate reads it. Plain JavaScript, so that Node runs it without a
// loader.

/**
 * @param {import('node:http').IncomingHttpHeaders} headers
 */
export function readQuestion(headers) {
  return {
    address: text(headers['x-original-ip']),
    origin: text(headers['x-original-origin']),
    // Without the bar at its end.
    path: text(headers['x-original-path']).slice(0, -1),
    uri: text(headers['x-original-uri']),
    userAgent: text(headers['x-original-ua']),
    playbackId: text(headers['x-original-playback-id']),
    requestId: text(headers['x-original-request-id']),
  }
}

/** @param {string | string[] | undefined} value */
function text(value) {
  return typeof value === 'string' ? value : ''
}
