import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** PEM texts, as `node:https` takes them. */
export interface KeyAndCertificate {
  readonly key: string
  readonly cert: string
}

export interface Authority {
  /** The file of its own certificate, for NODE_EXTRA_CA_CERTS. */
  readonly file: string
  /**
   * A certificate for these names (`DNS:localhost,IP:127.0.0.1`). An expired one ended in 2021. An ending one
   * was made then and ends soon.
   */
  issue(names: string, validity?: 'valid' | 'expired' | 'ending'): KeyAndCertificate
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** A certificate authority of its own below `folder`. */
export function makeAuthority(folder: string, name: string): Authority {
  const at = (file: string): string => join(folder, `${name}-${file}`)
  const [file, keyFile] = [at('ca.pem'), at('ca.key')]
  const subject = ['-subj', `/CN=${name}`]
  openssl('req', '-x509', ...newKey, '-days', '2', ...subject, '-keyout', keyFile, '-out', file)

  let serial = 0
  return {
    file,
    issue(names, validity = 'valid') {
      const one = at(`${++serial}`)
      writeFileSync(`${one}.index`, '')
      // Only `openssl ca` can make certificates for the past in every version of OpenSSL 3.
      writeFileSync(
        `${one}.conf`,
        [
          '[ca]\ndefault_ca=own',
          `[own]\ndatabase=${one}.index\nnew_certs_dir=${folder}\nrand_serial=yes\ndefault_md=sha256`,
          'policy=any\nx509_extensions=leaf',
          '[any]\ncommonName=optional',
          `[leaf]\nbasicConstraints=CA:FALSE\nsubjectAltName=${names}\n`,
        ].join('\n'),
      )
      openssl('req', '-new', ...newKey, ...subject, '-keyout', `${one}.key`, '-out', `${one}.csr`)
      const dates = {
        valid: ['-days', '2'],
        expired: ['-startdate', '20200101000000Z', '-enddate', '20210101000000Z'],
        ending: ['-startdate', '20210101000000Z', '-days', '2'],
      }[validity]
      const signer = ['-config', `${one}.conf`, '-cert', file, '-keyfile', keyFile]
      openssl('ca', '-batch', '-notext', ...signer, ...dates, '-in', `${one}.csr`, '-out', `${one}.pem`)
      return read(`${one}.key`, `${one}.pem`)
    },
  }
}

/** A self-signed certificate. */
export function makeSelfSigned(folder: string, names: string): KeyAndCertificate {
  const [key, cert] = [join(folder, 'self.key'), join(folder, 'self.pem')]
  const extension = ['-addext', `subjectAltName=${names}`]
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    ...extension,
    '-keyout',
    key,
    '-out',
    cert,
  )
  return read(key, cert)
}

function read(key: string, cert: string): KeyAndCertificate {
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

function openssl(...parameters: readonly string[]): void {
  execFileSync('openssl', parameters, { stdio: ['ignore', 'ignore', 'pipe'] })
}
