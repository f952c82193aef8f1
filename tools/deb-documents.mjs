// The documents that Debian wants in a form of its own. They are made of the pages and packages that there
// are.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const maintainer = /^Maintainer: (.*)$/m.exec(readFileSync(join(root, 'deb/control'), 'utf8'))?.[1]
const release = /^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$/m

/** The day of the newest release in CHANGELOG.md. @param {string} changelog */
export function lastRelease(changelog) {
  return new Date(release.exec(changelog)?.[2] ?? 0)
}

/**
 * CHANGELOG.md as Debian's tools show it when a package is updated.
 * @param {string} changelog
 */
export function debChangelog(changelog) {
  const [, ...parts] = changelog.split(new RegExp(release, 'gm'))
  const entries = []
  for (let at = 0; at + 2 < parts.length; at += 3) {
    const [version = '', day = '', text = ''] = parts.slice(at)
    const items = text
      .trim()
      .split(/\n+(?! )/)
      .map((item) => item.replace(/^- /, '').replace(/\s+/g, ' '))
    const lines = items.map((item) => `  * ${wrap(item).join('\n    ')}`)
    const date = new Date(day).toUTCString().replace('GMT', '+0000')
    entries.push(
      `alta-auth (${version}) stable; urgency=medium\n\n${lines.join('\n')}\n\n -- ${maintainer}  ${date}\n`,
    )
  }
  return entries.join('\n')
}

/** @param {string} text */
function wrap(text) {
  return Array.from(text.matchAll(/(\S.{0,73}\S|\S)(?: |$)/g), ([, line]) => line)
}

/**
 * Our licence, and those of the npm packages that are included.
 * @param {string} program where they lie
 */
export function debCopyright(program) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const included = Object.entries(lock.packages).filter(
    ([path, { dev }]) => path !== '' && dev !== true && existsSync(join(program, path)),
  )
  const lines = included.map(
    ([path, { version, license }]) => `  /usr/lib/alta-auth/${path} ${version}: ${license}`,
  )
  return `${readFileSync(join(root, 'LICENSE'), 'utf8')}
The npm packages that are included have licences of their own. Those of the packages in dist/main.js are in
/usr/lib/alta-auth/dist/third-party-notices.txt. For the others the text lies beside each, in a file LICENSE or in its
README.md; that of the Apache License 2.0 is /usr/share/common-licenses/Apache-2.0, too. LevelDB and Snappy are
compiled into classic-level; their licences (BSD-3-Clause) lie below its folder deps/.

${lines.join('\n')}
`
}

/**
 * A man page around what `alta-auth --help` prints.
 * @param {string} dist
 * @param {string} version
 */
export function manPage(dist, version) {
  const help = execFileSync(process.execPath, [join(dist, 'main.js'), '--help'], { encoding: 'utf8' })
  const [first = '', ...lines] = help.trim().split('\n')
  const text = lines
    .join('\n')
    .trim()
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^[.']/gm, '\\&$&')
  return `.TH ALTA\\-AUTH 1 "" "alta\\-auth ${version}"
.SH NAME
${first.replaceAll('-', '\\-').replace(':', ' \\-')}
.SH DESCRIPTION
.nf
${text}
.fi
.SH FILES
.TP
.I /etc/alta\\-auth/alta\\-auth.env
the settings of the service, alta\\-auth.service
.TP
.I /etc/nginx/alta\\-auth/
the snippets that a site of nginx includes
.TP
.I /usr/share/doc/alta\\-auth/docs/
the pages for operators; install.md is the first
.SH SEE ALSO
.BR nginx (8),
.BR systemctl (1)
`
}
