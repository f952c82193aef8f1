import assert from 'node:assert/strict'
import type { Project } from './stack-project.ts'

/** Asserts that these services run without root, and can neither write to their disk nor become root. */
export async function assertConfined(project: Project, services: readonly string[]): Promise<void> {
  for (const service of services) {
    const { Config, HostConfig } = await project.inspect(service)
    assert.deepEqual(
      [HostConfig.ReadonlyRootfs, HostConfig.Privileged, HostConfig.CapDrop, HostConfig.SecurityOpt],
      [true, false, ['ALL'], ['no-new-privileges:true']],
      service,
    )
    assert.doesNotMatch(Config.User, /^(?:root|0|)$|^0:/, service)
    const { output: id } = await project.tryExec(service, 'id', '-u')
    assert.match(id, /^[1-9]\d*\n$/, service)
    const written = await project.tryExec(service, 'touch', '/srv/written', '/var/tmp/written')
    assert.match(written.output, /Read-only file system.*Read-only file system/s, service)
  }
}

/** Asserts that only these services publish a port each, on loopback. */
export async function assertOpens(
  project: Project,
  services: readonly string[],
  open: readonly string[],
): Promise<void> {
  for (const service of services) {
    const { HostConfig } = await project.inspect(service)
    const addresses = Object.values(HostConfig.PortBindings ?? {}).flatMap((bound) =>
      bound.map(({ HostIp }) => HostIp),
    )
    assert.deepEqual(addresses, open.includes(service) ? ['127.0.0.1'] : [], service)
  }
}
