// npm run build: makes dist/main.js of src/ and of the packages it imports, with its source map, and
// dist/third-party-notices.txt with the licences of these packages. One file starts in half the time of 343.

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/main.js',
  bundle: true,
  // classic-level loads a file for this processor; both are loaded only where STATE_URL asks for one.
  external: Object.keys(dependencies),
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  // Packages in CommonJS load Node's own modules with require, which ES modules do not have.
  banner: {
    js: `import { createRequire as makeRequire } from 'node:module'
const require = makeRequire(import.meta.url)`,
  },
  metafile: true,
  write: false,
  logLevel: 'warning',
})

mkdirSync(dist, { recursive: true })
for (const { path, text } of outputFiles) place(basename(path), text)
place('third-party-notices.txt', noticesOf(Object.keys(metafile.inputs)))

/** Whoever starts the program meanwhile gets the old file or the new one, whole. @param {string} name @param {string} text */
function place(name, text) {
  const made = join(dist, `${name}.${process.pid}`)
  writeFileSync(made, text, { mode: name === 'main.js' ? 0o755 : 0o644 })
  renameSync(made, join(dist, name))
}

/**
 * The licences of the packages that these files belong to.
 * @param {readonly string[]} files
 */
function noticesOf(files) {
  const folders = new Set(files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? ''))
  folders.delete('')
  const notices = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const texts = readdirSync(join(root, folder)).filter((file) =>
      /^(?:licen[cs]e|copying|notice)/i.test(file),
    )
    const lines = texts.sort().map((file) => readFileSync(join(root, folder, file), 'utf8').trim())
    if (lines.length === 0) lines.push(licenceInReadme(folder))
    return [`${name} ${version}: ${license}`, ...lines].join('\n\n')
  })
  const head = 'dist/main.js contains the npm packages below. Each has its own licence.'
  return `${[head, ...notices].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

/** Some packages have their licence only there. @param {string} folder */
function licenceInReadme(folder) {
  const text = readFileSync(join(root, folder, 'README.md'), 'utf8')
  const found = /^(?:#+ *Licen[cs]e|Licen[cs]e\n-+)\s*\n([^#]*)/im.exec(text)?.[1]?.trim()
  if (!found?.includes('Copyright'))
    throw new Error(`${folder} has no licence text, which must be delivered.`)
  return found
}
