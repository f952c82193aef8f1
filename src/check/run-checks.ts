import { type Middleware, middlewares } from '../client/presets.ts'
import { effectiveTexts } from '../config/effective-texts.ts'
import type { FoundSettings } from '../config/find-settings.ts'
import type { Settings } from '../config/read-settings.ts'
import { sharedConfigurationOf } from '../config/shared-configuration.ts'
import { type CheckedBackend, checkBackend } from './backend/check-backend.ts'
import { checkClock } from './backend/check-clock.ts'
import { checkChannelPattern } from './channels/check-channel-pattern.ts'
import { checkSettings } from './check-settings.ts'
import { type AddressesOf, findTwoFamilies } from './cookie/find-two-families.ts'
import { choosesMode } from './cookie/find-useless.ts'
import type { Finding } from './finding.ts'
import { checkAdmin, lookAtAdmin } from './gate/check-admin.ts'
import { checkDefaultAction } from './gate/check-default-action.ts'
import { checkExposure } from './gate/check-exposure.ts'
import { checkGate, findGate } from './gate/check-gate.ts'
import { checkRunningSettings } from './gate/check-running-settings.ts'
import { checkRunningVerdicts } from './gate/check-running-verdicts.ts'
import type { ReadKernel } from './nginx/check-kernel.ts'
import { checkNginx } from './nginx/check-nginx.ts'
import { onFailureOf } from './nginx/check-on-failure.ts'
import { checkPathCredentials } from './nginx/check-path-credentials.ts'
import { readNginx } from './nginx/read-nginx.ts'
import { gateTargets, leadsTo } from './nginx-conf/gate-addresses.ts'
import type { NginxRun } from './nginx-conf/run-nginx.ts'
import type { SiteMap } from './nginx-conf/site-map.ts'
import { checkStore } from './store/check-store.ts'
import { createLookAtValkey } from './store/look-at-valkey.ts'

/** The installation that is checked, and who gets the findings. */
interface RunChecksOptions {
  readonly found: FoundSettings
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Wall clock in milliseconds. */
  readonly now: () => number
  readonly runNginx: () => Promise<NginxRun>
  readonly readKernel: ReadKernel
  readonly addressesOf: AddressesOf
  /** Called with what is being tried now, for a person who waits. */
  readonly onBusy: (what: string) => void
  /**
   * Called in the order of `checkNames`; with several backends, all findings of one before those of the next.
   */
  readonly onFindings: (findings: readonly Finding[]) => void
}

/**
 * Runs all checks at the same time and reports the findings in order. Ends within about fifteen seconds,
 * whatever does not answer.
 */
export async function runChecks(options: RunChecksOptions): Promise<readonly Finding[]> {
  const all: Finding[] = []
  const tell = (findings: readonly Finding[]): void => {
    all.push(...findings)
    options.onFindings(findings)
  }
  const { result, findings } = checkSettings(options.found)
  tell(findings)
  if (!result.ok) return all

  const { settings } = result
  const names = settings.backends.map(({ name }) => name)
  const machine = checkMachine(settings, options)
  const backends: CheckedBackend[] = []
  const asked = checkBackends(settings, options)
  for (const [index, one] of asked.entries()) {
    options.onBusy(`asking ${names[index]}`)
    const checked = await one
    backends.push(checked)
    tell(checked.findings)
  }
  const readings = backends.flatMap(({ reading }) => reading ?? [])
  tell([checkClock(options.now(), readings)])

  options.onBusy('looking for the gate and for nginx')
  const { nginx, gate, admin, ofNginx, gateIsDown } = await machine
  tell([
    gate,
    admin.finding,
    checkRunningSettings(admin.readyz, names, settings.defaultAction),
    checkRunningVerdicts(admin.readyz),
    checkDefaultAction({
      defaultAction: settings.defaultAction,
      mode: settings.backendMode,
      readyz: admin.readyz,
      answered: backends.map(({ answered }) => answered),
      gateIsDown,
      onFailure: nginx.map === undefined ? undefined : onFailureOf(nginx.map),
    }),
    ...(await checkStore({
      state: settings.state,
      isChosen: Boolean(options.found.environment['STATE_URL']?.trim()),
      running: admin.readyz?.state,
      lookAtValkey: createLookAtValkey(options),
      configuration: sharedConfigurationOf(settings),
    })),
  ])
  tell(ofNginx)
  return all
}

function checkBackends(settings: Settings, options: RunChecksOptions): Promise<CheckedBackend>[] {
  const { found, clock, now } = options
  const written = effectiveTexts(found.environment).find(({ name }) => name === 'MIDDLEWARE')?.text
  const middleware: Middleware = middlewares.find((one) => one === written) ?? 'custom'
  const share = settings.backendMode === 'failover' ? settings.backends.length : 1
  return settings.backends.map(async (endpoint) => {
    const checked = await checkBackend({
      endpoint,
      middleware,
      tokenParam: settings.tokenParams[0] ?? 'token',
      deadline: Math.round(settings.backendTimeout / share),
      unavailableStatus: settings.unavailableStatus,
      rechecks: settings.lifetimes.allow !== 'session',
      clock,
      now,
    })
    if (settings.backends.length === 1) return checked
    return { ...checked, findings: checked.findings.map((one) => ({ ...one, backend: endpoint.name })) }
  })
}

/** Checks what runs on this machine. nginx is read first, because it says where the gate should be. */
async function checkMachine(settings: Settings, options: RunChecksOptions) {
  const { clock, now, runNginx, readKernel } = options
  const { listen, adminListen, adminToken } = settings
  const [run, own, looked] = await Promise.all([
    runNginx(),
    findGate(listen, clock),
    lookAtAdmin(adminListen, adminToken, clock),
  ])
  const nginx = readNginx(run)
  const targets = nginx.map === undefined ? [] : gateTargets(nginx.map)
  const lookingForFamilies = lookForFamilies(nginx.map, options)
  const found = new Map(
    await Promise.all(
      targets.map(
        async (target) =>
          [target, leadsTo(target.address, listen) ? own : await findGate(target.address, clock)] as const,
      ),
    ),
  )
  const gates = [...new Set(found.values())]
  const gate = checkGate(own, gates)
  const answers = [own, ...gates].some(({ state }) => state === 'answers')
  const hasToken = adminToken !== undefined
  const admin = checkAdmin(adminListen, looked, hasToken, answers)
  const ofNginx = [
    ...checkNginx(nginx, {
      listening: listen,
      defaultAction: settings.defaultAction,
      deadline: settings.backendTimeout,
      sessionIdle: settings.sessionIdle,
      tokenParams: settings.tokenParams,
      sessionCookie: settings.sessionCookie,
      twoFamilies: await lookingForFamilies,
      readKernel,
      now: now(),
      found,
    }),
    checkChannelPattern(settings.channelPattern, nginx.map),
    checkPathCredentials(settings.credentialPattern, nginx.map),
    ...checkExposure({ map: nginx.map, listening: listen, admin: adminListen, hasToken }),
  ]
  return { nginx, gate, admin, ofNginx, gateIsDown: gate.result === 'failed' }
}

/** Looks for sites that need a session cookie, unless the operator has already decided about cookies. */
async function lookForFamilies(
  map: SiteMap | undefined,
  { found, addressesOf }: RunChecksOptions,
): Promise<readonly string[]> {
  const isChosen = Boolean(found.environment['SESSION_COOKIE']?.trim())
  return map === undefined || isChosen || choosesMode(map) ? [] : findTwoFamilies(map, addressesOf)
}
