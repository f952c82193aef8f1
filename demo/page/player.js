// @ts-nocheck: runs in the browser; the project's types know no DOM.

import Hls from './hls.js'

/**
 * Milliseconds for which a playing viewer ignores refusals, and milliseconds between two attempts. A gate
 * that was just restarted knows no viewer until the playlist, which has the token, is asked for again.
 */
const GRACE = 8_000
const PAUSE = 800

/** A name that makes each Play a viewer of its own. Apple's players send such a header by themselves. */
export function newViewer() {
  const bytes = crypto.getRandomValues(new Uint8Array(8))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Plays a live stream in a video element. `onChange` is called with `{ kind: 'opening'
 * 'playing'
 * 'waiting' }`, or with `{ kind: 'refused', status, decision }`. `decision` is there when nginx sends it in
 * headers. `goOn` plays another URL as the same viewer, if one plays.
 */
export function createPlayer(video, onChange) {
  let hls
  let viewer

  const stop = () => {
    hls?.destroy()
    hls = undefined
    video.removeAttribute('src')
    video.load()
  }
  const play = (url) => {
    viewer = newViewer()
    open(url)
  }
  const goOn = (url) => {
    if (hls !== undefined) open(url)
  }
  const open = (url) => {
    stop()
    onChange({ kind: 'opening' })
    if (!Hls.isSupported()) return playNatively(url)
    const opened = new Hls({
      enableWorker: false,
      xhrSetup: (xhr) => xhr.setRequestHeader('X-Playback-Session-Id', viewer),
    })
    hls = opened
    let refusedSince
    opened.on(Hls.Events.FRAG_LOADED, () => {
      refusedSince = undefined
    })
    opened.on(Hls.Events.MANIFEST_PARSED, () => start())
    opened.on(Hls.Events.ERROR, (_event, { fatal, response, networkDetails, type }) => {
      if (hls !== opened) return
      if (type === Hls.ErrorTypes.MEDIA_ERROR) {
        if (fatal) opened.recoverMediaError()
        return
      }
      refusedSince ??= performance.now()
      const isPatient = video.played.length > 0 && performance.now() - refusedSince < GRACE
      if (isPatient && fatal) setTimeout(() => hls === opened && opened.startLoad(), PAUSE)
      // hls.js itself would go on for long, with a request every few milliseconds.
      const isOver = fatal || (response?.code === 403 && performance.now() - refusedSince >= GRACE)
      if (isPatient || !isOver) return
      stop()
      onChange({ kind: 'refused', status: response?.code ?? 0, decision: decisionOf(networkDetails) })
    })
    opened.loadSource(url)
    opened.attachMedia(video)
  }
  /**
   * For browsers that play HLS themselves. They do not say why they failed, so the playlist is asked for once
   * more.
   */
  const playNatively = (url) => {
    video.src = url
    video.onerror = async () => {
      const { status } = await fetch(url, { cache: 'no-store' }).catch(() => ({ status: 0 }))
      onChange({ kind: 'refused', status })
    }
    start()
  }
  // A browser that does not start by itself shows its own button.
  const start = () => video.play().catch(() => onChange({ kind: 'waiting' }))

  video.addEventListener('playing', () => onChange({ kind: 'playing' }))
  video.addEventListener('waiting', () => video.currentSrc !== '' && onChange({ kind: 'waiting' }))
  return { play, goOn }
}

/** The decision in nginx's headers, if they hold one. */
export function decisionOf(answer) {
  const read = (name) => answer?.getResponseHeader?.(name) ?? answer?.headers?.get?.(name) ?? ''
  const [verdict, source, reason] = ['Verdict', 'Source', 'Reason'].map((name) => read(`X-Auth-${name}`))
  return verdict === '' ? undefined : { verdict, source, reason }
}
