// npm run package:deb: makes alta-auth_VERSION_ARCHITECTURE.deb. The npm package with all that it needs goes
// to /usr/lib/alta-auth. The same sources give the same bytes.
//
//   npm run package:deb -- arm64    for other servers than this machine

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { debChangelog, debCopyright, lastRelease, manPage } from './deb-documents.mjs'
import { architectures, keepOneNative } from './deb-native.mjs'
import { ensurePackages, ensurePrograms, giveUp, root, run, say } from './prepare.mjs'

ensurePackages()
ensurePrograms({ 'dpkg-deb': 'dpkg' })

const architecture =
  process.argv[2] ?? execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()
const native =
  architectures[architecture] ??
  giveUp(`there is no package for ${architecture}: name one of ${Object.keys(architectures).join(', ')}.`)

const { version } = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8'))
const changelog = fs.readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
/** Seconds since 1970 that all files get. */
const epoch = Number(process.env['SOURCE_DATE_EPOCH'] ?? lastRelease(changelog).getTime() / 1000)

const folder = fs.mkdtempSync(join(tmpdir(), 'alta-auth-deb-'))
const stage = join(folder, 'stage')
const program = join(stage, 'usr/lib/alta-auth')
const documents = join(stage, 'usr/share/doc/alta-auth')
const snippets = 'etc/nginx/alta-auth'
const made = join(root, `alta-auth_${version}_${architecture}.deb`)
try {
  stageProgram()
  stageSystem()
  stageDocuments()
  stageControl()
  for (const path of [stage, ...everythingBelow(stage)]) settle(path)
  const environment = { SOURCE_DATE_EPOCH: String(epoch) }
  run('dpkg-deb', ['--root-owner-group', '--build', stage, made], 'dpkg-deb failed: see above', environment)
} finally {
  fs.rmSync(folder, { recursive: true })
}
process.stdout.write(`${basename(made)}\n`)

/** What `npm pack` delivers, with node_modules beside it. */
function stageProgram() {
  say('making the npm package')
  run('npm', ['pack', '--silent', '--pack-destination', folder], 'npm pack failed: see above')
  fs.mkdirSync(program, { recursive: true })
  const tarball = join(folder, `alta-auth-${version}.tgz`)
  run('tar', ['-xzf', tarball, '-C', program, '--strip-components=1'], 'unpacking failed: see above')

  for (const file of ['package-lock.json', '.npmrc']) fs.cpSync(join(root, file), join(program, file))
  const install = [
    'ci',
    '--silent',
    '--omit=dev',
    '--ignore-scripts',
    '--prefer-offline',
    '--prefix',
    program,
  ]
  run('npm', install, 'npm ci failed: see above; is the npm registry reachable?')
  for (const file of ['package-lock.json', '.npmrc']) fs.rmSync(join(program, file))
  keepOneNative(join(program, 'node_modules'), native.file)
  // Types, the maps from built code to its source, hidden files, and the commands of packages are for those
  // who write programs.
  for (const path of everythingBelow(join(program, 'node_modules'))) {
    if (/\.(?:map|[cm]?ts)$|\/\.[^/]*$/.test(path) || isCommand(path))
      fs.rmSync(path, { recursive: true, force: true })
  }
}

/** @param {string} path */
function isCommand(path) {
  return fs.existsSync(path) && fs.statSync(path).isFile() && fs.readFileSync(path, 'latin1').startsWith('#!')
}

/** The command, the units, the user, the snippets. */
function stageSystem() {
  link(join(stage, 'usr/bin/alta-auth'), '../lib/alta-auth/dist/main.js')
  const units = fs.readdirSync(join(root, 'systemd')).filter((name) => /\.(?:service|socket)$/.test(name))
  for (const name of units) {
    const unit = fs.readFileSync(join(root, 'systemd', name), 'utf8')
    write(`usr/lib/systemd/system/${name}`, inThePlacesOfDebian(unit))
  }
  const user = fs.readFileSync(join(root, 'systemd/alta-auth.sysusers.conf'), 'utf8')
  write('usr/lib/sysusers.d/alta-auth.conf', user)
  write('usr/share/lintian/overrides/alta-auth', fs.readFileSync(join(root, 'deb/lintian-overrides'), 'utf8'))
  fs.rmSync(join(program, 'systemd'), { recursive: true })
  fs.cpSync(join(program, 'nginx/alta-auth'), join(stage, snippets), { recursive: true })
}

/** The places of docs/install.md for the npm package, as they are in this one. @param {string} text */
function inThePlacesOfDebian(text) {
  return text
    .replaceAll('/usr/local/lib/node_modules/alta-auth/docs', '/usr/share/doc/alta-auth/docs')
    .replaceAll('/usr/local/lib/node_modules/alta-auth', '/usr/lib/alta-auth')
}

/** The pages, in the folder for them. What they link to is linked there. */
function stageDocuments() {
  fs.mkdirSync(documents, { recursive: true })
  for (const page of ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'docs'])
    fs.renameSync(join(program, page), join(documents, page))
  for (const name of ['nginx', 'examples', 'monitoring', 'fail2ban', '.env.example'])
    link(join(documents, name), `../../../lib/alta-auth/${name}`)
  write('usr/share/doc/alta-auth/copyright', debCopyright(program))
  write('usr/share/doc/alta-auth/changelog.gz', zip(debChangelog(changelog)))
  write('usr/share/man/man1/alta-auth.1.gz', zip(manPage(join(program, 'dist'), version)))
}

/** What dpkg reads. The snippets are conffiles: it replaces those that nobody has edited, and else asks. */
function stageControl() {
  const files = everythingBelow(stage).filter((path) => fs.lstatSync(path).isFile())
  const kilobytes = files.reduce((sum, path) => sum + Math.ceil(fs.statSync(path).size / 1024), 0)
  const control = fs.readFileSync(join(root, 'deb/control'), 'utf8')
  const values = {
    VERSION: version,
    ARCHITECTURE: architecture,
    INSTALLED_SIZE: String(kilobytes),
    LIBRARIES: native.libraries,
  }
  const filled = Object.entries(values).reduce((text, [name, value]) => text.replace(name, value), control)
  write('DEBIAN/control', filled)
  for (const script of ['postinst', 'prerm', 'postrm'])
    write(`DEBIAN/${script}`, fs.readFileSync(join(root, 'deb', script), 'utf8'))
  const names = files.map((path) => relative(stage, path))
  const conffiles = names.filter((name) => name.startsWith(`${snippets}/`))
  write('DEBIAN/conffiles', conffiles.map((name) => `/${name}\n`).join(''))
  const sums = names.map((name) => `${md5(join(stage, name))}  ${name}\n`)
  write('DEBIAN/md5sums', sums.join(''))
}

/** Gives a file a mode and a time that do not depend on who makes the package. @param {string} path */
function settle(path) {
  if (!fs.lstatSync(path).isSymbolicLink()) {
    const isRun = fs.statSync(path).isDirectory() || /\/DEBIAN\/p\w+$|\/alta-auth\/dist\/main\.js$/.test(path)
    fs.chmodSync(path, isRun ? 0o755 : 0o644)
  }
  fs.lutimesSync(path, epoch, epoch)
}

/**
 * Paths of files, links and folders, in an order that is always the same.
 * @param {string} top
 * @returns {string[]}
 */
function everythingBelow(top) {
  const names = fs.readdirSync(top).sort()
  return names.flatMap((name) => {
    const path = join(top, name)
    return fs.lstatSync(path).isDirectory() ? [path, ...everythingBelow(path)] : [path]
  })
}

/** @param {string} name below the stage @param {string | Buffer} content */
function write(name, content) {
  fs.mkdirSync(join(stage, name, '..'), { recursive: true })
  fs.writeFileSync(join(stage, name), content)
}

/** @param {string} path @param {string} target */
function link(path, target) {
  fs.mkdirSync(join(path, '..'), { recursive: true })
  fs.symlinkSync(target, path)
}

/** @param {string} text */
function zip(text) {
  return execFileSync('gzip', ['-9n'], { input: text })
}

/** @param {string} path */
function md5(path) {
  return createHash('md5').update(fs.readFileSync(path)).digest('hex')
}
