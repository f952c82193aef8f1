import type { Page } from 'playwright-core'

export interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** How many different colours a PNG has within an area: a blank one has one. */
export async function countColours(page: Page, png: Buffer, area: Area): Promise<number> {
  const { x, y, width, height } = area
  return page.evaluate<number>(`(async () => {
    const picture = new Image()
    picture.src = 'data:image/png;base64,${png.toString('base64')}'
    await picture.decode()
    const canvas = new OffscreenCanvas(${width}, ${height})
    const context = canvas.getContext('2d')
    context.drawImage(picture, ${-x}, ${-y})
    const points = new Uint32Array(context.getImageData(0, 0, ${width}, ${height}).data.buffer)
    return new Set(points).size
  })()`)
}

/** Width and height of a PNG, as its header says. */
export function sizeOfPng(png: Buffer): readonly [width: number, height: number] {
  return [png.readUInt32BE(16), png.readUInt32BE(20)]
}
