/**
 * Where a command of the pages is run that this test cannot run: the file that runs it, and a text of that
 * file that shows it.
 */
export interface Elsewhere {
  readonly file: string
  readonly says: string
}

/** Commands as the pages write them. */
export const runElsewhere: Readonly<Record<string, Elsewhere>> = {
  'npm run demo': { file: 'test/support/started-demo.ts', says: 'tools/demo.mjs' },
  'docker compose up': { file: 'test/compose/stack.ts', says: "project.compose(['up'" },
  // They take ten minutes and more, or a machine of their own. The test only checks that they exist.
  'npm run bench': { file: 'package.json', says: '"bench": "node tools/bench.mjs bench.ts"' },
  'npm run kick-off': { file: 'package.json', says: '"kick-off": "node tools/bench.mjs kick-off.ts"' },
  'npm run measure:memory': { file: 'package.json', says: '"measure:memory": "node ' },
  'npm run simulate:scale': {
    file: 'package.json',
    says: '"simulate:scale": "tsx bench/simulate-scale.ts"',
  },
  'npm run soak': { file: 'package.json', says: '"soak": "tsx bench/soak.ts"' },
  'RESTARTS=30 npm test -- test/long/restarts.test.ts': {
    file: 'test/long/restarts.test.ts',
    says: "env['RESTARTS']",
  },
  // In a copy of /etc/fail2ban.
  'cp fail2ban/filter.d/alta-auth.conf /etc/fail2ban/filter.d/': {
    file: 'test/hostile/fail2ban.test.ts',
    says: 'docs/access-log.md',
  },
  'cp fail2ban/jail.d/alta-auth.conf /etc/fail2ban/jail.d/': {
    file: 'test/hostile/fail2ban.test.ts',
    says: 'docs/access-log.md',
  },
  'fail2ban-client -t': { file: 'test/hostile/fail2ban.test.ts', says: 'docs/access-log.md' },
  'fail2ban-regex /var/log/nginx/live.access.log alta-auth': {
    file: 'test/hostile/fail2ban.test.ts',
    says: 'docs/access-log.md',
  },
  // Shorter in npm run test:long.
  'FULL=1 npm test -- test/long/many-sessions.test.ts': {
    file: 'test/long/many-sessions.test.ts',
    says: 'isFull ? 10',
  },
  'FULL=1 npm test -- test/long/flood.test.ts': {
    file: 'test/support/flood-run.ts',
    says: 'isFull ? 1_000_000',
  },
}

/** Pages whose blocks are all run by another test, in their order. */
export const pagesElsewhere: Readonly<Record<string, Elsewhere>> = {
  'docs/install.md': { file: 'tools/test-install.mjs', says: 'docs/install.md' },
}
