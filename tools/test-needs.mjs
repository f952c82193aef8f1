// What a test file needs before it can run. This is read from its imports.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { root } from './prepare.mjs'

/**
 * Program, as `ensurePrograms` takes it → Debian package.
 * @typedef {Readonly<Record<string, string>>} Programs
 */

/** @type {Programs} */
const nginx = { nginx: 'nginx-light' }
/** @type {Programs} */
const openssl = { openssl: 'openssl' }
/** @type {Programs} */
const php = { php: 'php-cli' }
/** @type {Programs} */
const curl = { curl: 'curl' }
/** @type {Programs} */
const ffmpeg = { ffmpeg: 'ffmpeg', ffprobe: 'ffmpeg' }
/** @type {Programs} */
const prometheus = { prometheus: 'prometheus', promtool: 'prometheus' }

/**
 * File that starts programs → the programs. Every file that imports it, directly or not, needs them.
 * @type {Readonly<Record<string, Programs>>}
 */
export const programsOf = {
  'bench/start-valkey.ts': { 'valkey-server': 'valkey-server' },
  'bench/contenders/lua.ts': { '/usr/lib/nginx/modules/ngx_http_lua_module.so': 'libnginx-mod-http-lua' },
  'bench/contenders/njs.ts': { '/usr/lib/nginx/modules/ngx_http_js_module.so': 'libnginx-mod-http-js' },
  'bench/generator.ts': { wrk: 'wrk' },
  'bench/start-nginx.ts': nginx,
  'test/check/read-nginx.test.ts': nginx,
  'test/demo/page.ts': curl,
  'test/long/demo/start.test.ts': curl,
  'test/demo/stream.test.ts': ffmpeg,
  'test/documentation/events-page.test.ts': php,
  'test/long/faults/new-connections.alone.test.ts': { wrk: 'wrk' },
  'test/hostile/fail2ban.test.ts': { 'fail2ban-regex': 'fail2ban' },
  'test/middleware/php-names.test.ts': php,
  'test/install/deb-package.ts': { 'dpkg-deb': 'dpkg', lintian: 'lintian' },
  'test/long/repository/deb-native.test.ts': { objdump: 'binutils' },
  'test/nginx/shipped-files.test.ts': nginx,
  'test/long/metrics/alert-rules.test.ts': prometheus,
  'test/long/players/ffmpeg.test.ts': ffmpeg,
  'test/support/shipped-units.ts': { 'systemd-analyze': 'systemd' },
  'test/state/full-disk.test.ts': { unshare: 'util-linux' },
  'test/support/backend-nginx.ts': nginx,
  'test/support/browser.ts': { chromium: 'chromium' },
  'test/support/certificates.ts': openssl,
  'test/support/configured-nginx.ts': nginx,
  'test/support/curl.ts': curl,
  'test/support/demo-in-browser.ts': nginx,
  'test/support/documentation/stage.ts': { ...nginx, ...curl, ...php },
  'test/support/documentation/test-fragment.ts': nginx,
  'test/support/ffmpeg-player.ts': ffmpeg,
  'test/support/live-stream.ts': ffmpeg,
  'test/support/media.ts': ffmpeg,
  'test/support/moving-player.ts': {
    ...{ ...ffmpeg, setpriv: 'util-linux' },
    ...{ vlc: 'vlc-bin', '/usr/share/bug/vlc-plugin-base': 'vlc-plugin-base' },
  },
  'test/support/nginx.ts': { ...nginx, ...openssl },
  'test/support/php-fpm-backend.ts': { 'php-fpm*': 'php-fpm' },
  'test/support/php.ts': php,
  'test/support/prometheus.ts': prometheus,
  'test/support/real-players.ts': { ...ffmpeg, mpv: 'mpv' },
  'test/support/started-demo.ts': nginx,
  'test/support/uwsgi-backend.ts': {
    uwsgi: 'uwsgi',
    '/usr/lib/uwsgi/plugins/python3_plugin.so': 'uwsgi-plugin-python3',
  },
  'test/support/valkey.ts': {
    'valkey-server': 'valkey-server',
    'valkey-cli': 'valkey-tools',
    'valkey-sentinel': 'valkey-sentinel',
  },
  'test/verdict-cache/clock.test.ts': { faketime: 'faketime' },
  'test/metrics/metrics.test.ts': prometheus,
  'test/metrics/monitoring.test.ts': prometheus,
}

/** Packages that start other processes, threads or a browser. */
const OTHER_PROCESSES = /^(?:node:)?(?:child_process|worker_threads|cluster)$|^playwright-core$/

/**
 * The programs that these files need.
 * @param {readonly string[]} files
 * @returns {Programs}
 */
export function programsFor(files) {
  const all = new Set(files.flatMap((file) => Array.from(reach(file).files)))
  return Object.assign({}, ...Array.from(all, (file) => programsOf[relative(root, file)] ?? {}))
}

/**
 * Whether all that a file does happens in the process that runs it. Several such files can share one process.
 * @param {string} file
 */
export function isInProcess(file) {
  return !Array.from(reach(file).packages).some((name) => OTHER_PROCESSES.test(name))
}

/**
 * Whether a file imports another one, directly or not.
 * @param {string} file
 * @param {string} imported below the repository
 */
export function doesImport(file, imported) {
  return reach(file).files.has(resolve(root, imported))
}

/**
 * All files that a file imports, directly or not, itself included, and the packages that they import. Imports
 * of types do not count.
 * @param {string} file
 */
function reach(file) {
  const files = new Set([resolve(root, file)])
  /** @type {Set<string>} */
  const packages = new Set()
  for (const one of files) {
    for (const name of importsOf(one)) {
      if (!name.startsWith('.')) packages.add(name)
      else files.add(resolve(dirname(one), name))
    }
  }
  return { files, packages }
}

/** @type {Map<string, readonly string[]>} */
const known = new Map()

/**
 * @param {string} file
 * @returns {readonly string[]}
 */
function importsOf(file) {
  const before = known.get(file)
  if (before !== undefined) return before
  const text = existsSync(file) && /\.m?[jt]s$/.test(file) ? readFileSync(file, 'utf8') : ''
  const matches = text.matchAll(
    /^(?:import|export)\s+(?!type\b)(?:[^'"]*?\bfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
  )
  const names = Array.from(matches, ([, fixed, dynamic]) => fixed ?? dynamic ?? '')
  known.set(file, names)
  return names
}
