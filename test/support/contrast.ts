import type { Page } from 'playwright-core'

/** Visible texts with a contrast below 4.5 : 1, or below 3 : 1 when they are large (WCAG 2.2, 1.4.3). */
export function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const read = (colour) => {
      const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number)
      return { channels: [red, green, blue], alpha }
    }
    const luminance = (channels) => {
      const [red, green, blue] = channels.map((value) => {
        const part = value / 255
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    const groundOf = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const { channels, alpha } = read(getComputedStyle(at).backgroundColor)
        if (alpha === 1) return channels
      }
      return [255, 255, 255]
    }
    const faint = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement
      const text = walker.currentNode.textContent.trim()
      if (text === '' || element.closest('svg, script, noscript, .unseen, .skip') !== null) continue
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
      const style = getComputedStyle(element)
      const [light, dark] = [luminance(read(style.color).channels), luminance(groundOf(element))].sort((a, b) => b - a)
      const size = Number.parseFloat(style.fontSize)
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
      const ratio = (light + 0.05) / (dark + 0.05)
      if (ratio < (isLarge ? 3 : 4.5)) faint.push(text.slice(0, 40) + ' ' + ratio.toFixed(2))
    }
    return faint
  })()`)
}
