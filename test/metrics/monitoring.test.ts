import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { readPage, root } from '../support/documentation/pages.ts'
import { startGate } from '../support/gate.ts'
import { startGates } from '../support/gates.ts'
import { startPrometheus } from '../support/prometheus.ts'
import { forSuite, type Scope } from '../support/scope.ts'
import { type Scrape, scrape } from '../support/scrape.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

interface Target {
  readonly refId: string
  readonly expr: string
  readonly datasource: object
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly datasource?: object
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly Target[]
}

interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly tags: readonly string[]
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly annotations: { readonly list: readonly { readonly expr: string }[] }
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[]
  }
}

/** A busy machine with a Prometheus on it, in milliseconds. */
const PATIENCE = 60_000
const TOKEN = 'a-long-random-text-for-the-admin-listener'
const rulesFile = readFileSync(join(root, 'monitoring/alerts.yml'), 'utf8')
const ruleTests = readFileSync(join(root, 'monitoring/alerts.test.yml'), 'utf8')
const alerts = [...rulesFile.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name)
const dashboard = JSON.parse(readFileSync(join(root, 'monitoring/dashboard.json'), 'utf8')) as Dashboard
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ refId, expr }) => ({ place: `${title} ${refId}`, expr })),
)
const page = readPage('docs/monitoring.md')

function promtool(...parameters: readonly string[]): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', parameters, { cwd: root, encoding: 'utf8' })
  return { code: status, output: stdout + stderr }
}

/** What Grafana would put in place of its variables. */
function withoutVariables(expr: string): string {
  const asked = expr.replaceAll('$__rate_interval', '10s').replaceAll('$instance', '.*')
  assert.doesNotMatch(asked, /\$/, 'a variable that the dashboard has not')
  return asked
}

/** Names of metrics, without the endings of a histogram's series. */
function metricsIn(text: string): string[] {
  const names = [...text.matchAll(/\b(?:alta_auth|process|nodejs)_\w+/g)].map(([name]) => name)
  return [...new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')))]
}

/** The rows of docs/monitoring.md's table: one for each metric. */
function documented(): { name: string; type: string; labels: string[] }[] {
  const rows = page.prose.split('\n').filter((line) => /^\| `(?:alta_auth|process|nodejs)_/.test(line))
  const words = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)
  return rows.flatMap((row) => {
    const [, names, type = '', labels] = row.split('|')
    return words(names).map((name) => ({ name, type: type.trim(), labels: words(labels).sort() }))
  })
}

describe('the alert rules', () => {
  test('are in order for promtool', () => {
    const { code, output } = promtool('check', 'rules', '--lint=all', '--lint-fatal', 'monitoring/alerts.yml')
    assert.equal(code, 0, output)
    assert.match(output, new RegExp(`SUCCESS: ${alerts.length} rules found`))
    assert.ok(alerts.length >= 10)
  })

  test('fire when they should and only then: promtool test rules', () => {
    const { code, output } = promtool('test', 'rules', 'monitoring/alerts.test.yml')
    assert.equal(code, 0, output)
  })

  test('are each tested both ways, with a gate beside it that is well', () => {
    for (const alert of alerts) {
      const own = ruleTests.split(/^ {2}- name: /m).filter((text) => text.startsWith(`${alert}\n`))
      for (const part of ['exp_labels:', 'exp_alerts: []', 'well:9181'])
        assert.ok(
          own.some((text) => text.includes(part)),
          `${alert}: ${part}`,
        )
    }
  })

  test('lie where the example configuration looks for them', (t) => {
    assert.equal(promtool('check', 'config', 'monitoring/prometheus.yml').code, 0)
    const folder = makeTemporaryFolder(t)
    cpSync(join(root, 'monitoring/prometheus.yml'), join(folder, 'prometheus.yml'))
    assert.notEqual(promtool('check', 'config', join(folder, 'prometheus.yml')).code, 0)
  })
})

describe('the dashboard', () => {
  test('is one that Grafana imports', () => {
    const { uid, title, tags, schemaVersion, templating } = dashboard
    assert.deepEqual([uid, title], ['alta-auth', 'alta-auth'])
    assert.ok(tags.includes('alta-auth') && schemaVersion >= 36)
    const [datasource, instance] = templating.list
    assert.deepEqual([datasource?.name, datasource?.type], ['datasource', 'datasource'])
    assert.deepEqual([instance?.name, instance?.type], ['instance', 'query'])
    // An id could be that of another dashboard there.
    assert.ok(!('id' in dashboard))
  })

  test('has panels with an id and a name of their own, a unit, a meaning and queries', () => {
    const ids = dashboard.panels.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length)
    for (const { title, description, datasource, fieldConfig, targets = [] } of panels) {
      assert.ok(targets.length > 0, title)
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title)
      assert.match(description ?? '', /^[A-Z].*\.$/, title)
      assert.ok(fieldConfig?.defaults.unit, title)
      for (const one of [datasource, ...targets.map((target) => target.datasource)])
        assert.deepEqual(one, { type: 'prometheus', uid: `$\{datasource}` }, title)
    }
  })

  test('has no panel upon another, and none that reaches past the edge', () => {
    const taken = new Set<string>()
    for (const { title, gridPos } of dashboard.panels) {
      assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!taken.has(`${x} ${y}`), title)
          taken.add(`${x} ${y}`)
        }
      }
    }
  })

  test('shows each chosen gate only: every query of our metrics asks for $instance', () => {
    for (const { place, expr } of queries) {
      const selectors = [...expr.matchAll(/\b(?:alta_auth|process|nodejs)_\w+(\{[^}]*\})?/g)]
      assert.ok(selectors.length > 0, place)
      for (const [, selector = ''] of selectors) assert.ok(selector.includes('instance=~"$instance"'), place)
    }
  })
})

/** A gate with a store and a token, the Prometheus that scrapes it, and a few requests of each kind. */
async function startWorld(scope: Scope) {
  const backend = await startBackend(scope)
  backend.answer = hasToken('good')
  const { port, adminPort } = await startGate(scope, {
    BACKEND_URL: backend.url,
    BACKEND_TIMEOUT: '30s',
    DEFAULT_ACTION: 'allow',
    ADMIN_LISTEN: '127.0.0.1:0',
    ADMIN_TOKEN: TOKEN,
    STATE_URL: `file:${makeTemporaryFolder(scope)}/state`,
  })
  const prometheus = await startPrometheus(scope, { target: adminPort, adminToken: TOKEN })
  let visitors = 0
  const visit = async (): Promise<void> => {
    for (let n = 0; n < 10; n++) {
      const address = `10.0.${(visitors >> 8) & 255}.${visitors & 255}`
      visitors++
      for (const uri of ['index.m3u8?token=good', '1.ts', '2.ts', 'index.m3u8?token=bad'])
        await askGate(port, { uri: `/live/news/${uri}`, address })
    }
  }
  const counted = (): Promise<Scrape> => scrape(adminPort, { Authorization: `Bearer ${TOKEN}` })
  return { backend, adminPort, prometheus, visit, counted }
}

describe('a real Prometheus that scrapes a real gate', () => {
  const world = forSuite(startWorld)

  test('gets in with the lines that the example has for ADMIN_TOKEN', () =>
    until('the gate to be scraped', async () => (await world.prometheus.isUp()) === true, PATIENCE))

  test('the dashboard has something to show in each panel', async () => {
    const empty = new Set(queries.map(({ expr }) => expr))
    await until(
      'a number for each query',
      async () => {
        await world.visit()
        for (const expr of empty) {
          const found = await world.prometheus.range(withoutVariables(expr))
          if (found.some(({ values }) => values.some((value) => Number.isFinite(value)))) empty.delete(expr)
        }
        return empty.size === 0
      },
      PATIENCE,
    ).catch((error) => assert.fail(`${error}: ${[...empty].join(', ')}`))
  })

  test('the numbers are those of the gate', async () => {
    const expected = (await world.counted()).sum('alta_auth_decisions_total', { verdict: 'deny' })
    assert.ok(expected > 0)
    await until(
      'the same number',
      async () => {
        const [found] = await world.prometheus.range('sum(alta_auth_decisions_total{verdict="deny"})')
        return found?.values.at(-1) === expected
      },
      PATIENCE,
    )
  })

  test('the other queries of the dashboard are understood', async () => {
    for (const { expr } of dashboard.annotations.list) await world.prometheus.range(withoutVariables(expr))
    for (const { definition } of dashboard.templating.list) {
      if (definition === undefined) continue
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? []
      const [found] = await world.prometheus.range(metric)
      assert.equal(found?.metric[label], `127.0.0.1:${world.adminPort}`)
    }
  })

  test('every rule is evaluated without an error, and none fires while all is well', async () => {
    await until(
      'the rules to be evaluated',
      async () => (await world.prometheus.rules()).every(({ health }) => health !== 'unknown'),
      PATIENCE,
    )
    const rules = await world.prometheus.rules()
    assert.deepEqual(rules.map(({ name }) => name).sort(), alerts.toSorted())
    for (const { name, query, health, lastError, state } of rules) {
      assert.deepEqual([name, health, lastError], [name, 'ok', undefined])
      assert.equal(state === 'firing', false, `${name} fires`)
      await world.prometheus.range(query)
    }
  })

  test('each rule says how bad it is, what it means and what to do, and has its place on the page', async () => {
    for (const { name, labels, annotations } of await world.prometheus.rules()) {
      assert.match(labels['severity'] ?? '', /^(?:critical|warning)$/, name)
      assert.deepEqual(Object.keys(annotations).sort(), ['description', 'remedy', 'runbook', 'summary'])
      for (const words of ['description', 'remedy', 'summary'])
        assert.match(annotations[words] ?? '', /\S.*[.?]$/, name)
      assert.equal(annotations['runbook'], `docs/monitoring.md#${name.toLowerCase()}`)
    }
    const headings = [...page.prose.matchAll(/^### (AltaAuth\w+)$/gm)].map(([, heading = '']) => heading)
    assert.deepEqual(headings, alerts)
  })

  test('rules, dashboard and page name only metrics that the gate has, and the page names all', async (t) => {
    const alone = await world.counted()
    const { all } = await startGates(t, { BACKEND_URL: world.backend.url }, ['north'] as const)
    const shared = await scrape(all[0].gate.adminPort)
    const ofGates = (name: string): boolean => name.startsWith('alta_auth_gate')
    const types = new Map([...alone.types, ...[...shared.types].filter(([name]) => ofGates(name))])
    const series = [...alone.series, ...shared.series.filter(({ name }) => ofGates(name))]
    for (const [where, text] of Object.entries({
      rules: rulesFile,
      tests: ruleTests,
      dashboard: JSON.stringify(dashboard),
      page: page.text,
    }))
      for (const name of metricsIn(text)) assert.ok(types.has(name), `${where}: ${name}`)

    const labelsOf = (metric: string): string[] | undefined => {
      const own = [metric, `${metric}_bucket`]
      const any = series.find(({ name }) => own.includes(name))
      return (
        any &&
        Object.keys(any.labels)
          .filter((label) => label !== 'le')
          .sort()
      )
    }
    const rows = documented().sort((a, b) => a.name.localeCompare(b.name))
    const exposed = [...types].map(([name, type]) => {
      // Now and then Node has no request of its own under way. Then nothing shows the labels of that metric.
      const whileEmpty = name === 'nodejs_active_requests' ? ['type'] : undefined
      return { name, type, labels: labelsOf(name) ?? whileEmpty }
    })
    assert.deepEqual(
      rows,
      exposed.sort((a, b) => a.name.localeCompare(b.name)),
    )
  })

  test('unknown viewers who are let in by default raise an alert, and so does the backend that is away', async () => {
    await world.backend.stop()
    await until(
      'AltaAuthDefaultLetsIn to fire',
      async () => {
        await world.visit()
        const rules = await world.prometheus.rules()
        return rules.some(({ name, state }) => name === 'AltaAuthDefaultLetsIn' && state === 'firing')
      },
      PATIENCE,
    )
    await until(
      'AltaAuthBackendUnavailable to be on its way',
      async () => {
        const rules = await world.prometheus.rules()
        return rules.some(({ name, state }) => name === 'AltaAuthBackendUnavailable' && state !== 'inactive')
      },
      PATIENCE,
    )
  })
})
