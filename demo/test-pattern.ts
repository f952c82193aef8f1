/** The picture in pixels: 16:9, and small enough that a loop of it can be committed. */
export const WIDTH = 640
/** See WIDTH. */
export const HEIGHT = 360
/** Pictures a second. */
export const RATE = 25
/** Seconds of the loop. The dial turns once in this time. */
export const LOOP = 12
/** Seconds that a beep and its flash last, at every full second. */
export const BEEP = 0.08

type Colour = readonly [red: number, green: number, blue: number]

const night: Colour = [14, 22, 36]
const dusk: Colour = [26, 40, 62]
const chalk: Colour = [236, 240, 246]
const slate: Colour = [62, 80, 106]
const teal: Colour = [45, 196, 172]
const amber: Colour = [255, 190, 92]
const bars: readonly Colour[] = [
  [214, 219, 226],
  [222, 194, 96],
  [88, 182, 190],
  [98, 176, 112],
  [178, 108, 172],
  [200, 92, 88],
  [80, 108, 190],
  [44, 56, 76],
]
const BARS_TOP = 308
const CENTRE = { x: 320, y: 154 } as const
const RADIUS = 118

/** The segments a to g of each digit. */
const digits = ['abcdef', 'bc', 'abged', 'abgcd', 'fgbc', 'afgcd', 'afgedc', 'abc', 'abcdefg', 'abcdfg']
/** The ends of each segment, in a field of 1 × 2. */
const strokes: Readonly<Record<string, readonly [number, number, number, number]>> = {
  a: [0, 0, 1, 0],
  b: [1, 0, 1, 1],
  c: [1, 1, 1, 2],
  d: [0, 2, 1, 2],
  e: [0, 1, 0, 2],
  f: [0, 0, 0, 1],
  g: [0, 1, 1, 1],
}

/** One picture of the loop, `time` seconds after its start: rgb24, row by row. */
export function drawPicture(time: number): Buffer {
  const canvas = createCanvas()
  drawGround(canvas)
  const turn = (time / LOOP) * 2 * Math.PI
  canvas.fill(box(CENTRE.x, CENTRE.y, RADIUS + 8), dial(turn))
  const flash = time % 1 < BEEP ? amber : slate
  canvas.fill(box(CENTRE.x, 206, 8), (x, y) => [flash, 6 - Math.hypot(x - CENTRE.x, y - 206)])
  drawCounter(canvas, time)
  // A mark that moves along the bars once in two seconds, so that a frozen picture is seen at once.
  const at = ((time % 2) / 2) * WIDTH
  canvas.fill([at - 4, BARS_TOP - 4, at + 4, HEIGHT], (x) => [chalk, 2.5 - Math.abs(x - at)])
  return canvas.bytes
}

type Box = readonly [left: number, top: number, right: number, bottom: number]
/** The colour of a point, and its distance inside a shape in pixels. The edge is smoothed over one pixel. */
type Shape = (x: number, y: number) => readonly [Colour, number]

const box = (x: number, y: number, reach: number): Box => [x - reach, y - reach, x + reach, y + reach]

function createCanvas() {
  const bytes = Buffer.alloc(WIDTH * HEIGHT * 3)
  const fill = ([left, top, right, bottom]: Box, shape: Shape): void => {
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(HEIGHT, bottom); y++) {
      for (let x = Math.max(0, Math.floor(left)); x < Math.min(WIDTH, right); x++) {
        const [colour, inside] = shape(x + 0.5, y + 0.5)
        const share = Math.min(1, Math.max(0, inside + 0.5))
        const at = (y * WIDTH + x) * 3
        for (const channel of [0, 1, 2] as const) {
          const under = bytes[at + channel] ?? 0
          bytes[at + channel] = Math.round(under + (colour[channel] - under) * share)
        }
      }
    }
  }
  return { bytes, fill }
}
type Canvas = ReturnType<typeof createCanvas>

function drawGround({ fill }: Canvas): void {
  fill([0, 0, WIDTH, BARS_TOP], (_x, y) => {
    const down = y / BARS_TOP
    return [
      [
        night[0] + (dusk[0] - night[0]) * down,
        night[1] + (dusk[1] - night[1]) * down,
        night[2] + (dusk[2] - night[2]) * down,
      ],
      1,
    ]
  })
  fill([0, BARS_TOP, WIDTH, HEIGHT], (x) => [bars[Math.floor((x / WIDTH) * bars.length)] ?? night, 1])
}

/** A ring that fills during the loop, with a tick for each second. */
function dial(turn: number): Shape {
  return (x, y) => {
    const [right, up] = [x - CENTRE.x, CENTRE.y - y]
    const distance = Math.hypot(right, up)
    const angle = (Math.atan2(right, up) + 2 * Math.PI) % (2 * Math.PI)
    const toTick = Math.abs(((angle / (2 * Math.PI)) * LOOP + 0.5) % 1) - 0.5
    const tick = Math.min(
      5 - Math.abs(distance - RADIUS + 20),
      1.3 - (Math.abs(toTick) / LOOP) * 2 * Math.PI * distance,
    )
    const [handX, handY] = [Math.sin(turn) * RADIUS, Math.cos(turn) * RADIUS]
    const hand = 8 - Math.hypot(right - handX, up - handY)
    if (hand > -0.5) return [chalk, hand]
    const ring = 4 - Math.abs(distance - RADIUS)
    return ring > -0.5 ? [angle <= turn ? teal : slate, ring] : [slate, tick]
  }
}

/** Seconds and tenths, as `07.4`. */
function drawCounter({ fill }: Canvas, time: number): void {
  const text = (Math.floor(time * 10 + 1e-6) / 10).toFixed(1).padStart(4, '0')
  const [width, top, thickness] = [24, 118, 3.4]
  let left = CENTRE.x - 69
  for (const sign of text) {
    if (sign === '.') {
      const [x, y] = [left + 2, top + 2 * width]
      fill(box(x, y, 6), (px, py) => [chalk, 4 - Math.hypot(px - x, py - y)])
      left += 20
      continue
    }
    for (const name of digits[Number(sign)] ?? '') {
      const [x1, y1, x2, y2] = (strokes[name] ?? [0, 0, 0, 0]).map((one) => one * width) as [
        number,
        number,
        number,
        number,
      ]
      const shape = stroke(left + x1, top + y1, left + x2, top + y2, thickness)
      fill([left + x1 - 6, top + y1 - 6, left + x2 + 6, top + y2 + 6], shape)
    }
    left += width + 17
  }
}

function stroke(x1: number, y1: number, x2: number, y2: number, thickness: number): Shape {
  const [dx, dy] = [x2 - x1, y2 - y1]
  const square = dx * dx + dy * dy
  return (x, y) => {
    const along = Math.min(0.9, Math.max(0.1, ((x - x1) * dx + (y - y1) * dy) / square))
    return [chalk, thickness - Math.hypot(x - x1 - along * dx, y - y1 - along * dy)]
  }
}
