/**
 * Reads Server-Sent Events (WHATWG HTML, section 9.2) from a body. EventSource could not send a token.
 * Comments and events without data are ignored, but `onHeard` is called for each chunk.
 * @param {ReadableStream<Uint8Array>} body
 * @param {() => void} onHeard
 * @returns {AsyncGenerator<{ name: string, data: any }>}
 */
export async function* readEvents(body, onHeard) {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      onHeard()
      const blocks = (rest + decoder.decode(value, { stream: true })).split(/\n\n/)
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = readBlock(block)
        if (event !== undefined) yield event
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** @param {string} block */
function readBlock(block) {
  let name = 'message'
  const data = []
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim()
    if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''))
  }
  return data.length === 0 ? undefined : { name, data: JSON.parse(data.join('\n')) }
}
