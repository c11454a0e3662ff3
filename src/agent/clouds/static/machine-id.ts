import type { HostReader } from '../../engine/host.ts';

/**
 * Returns the UUID in the firmware or, failing that, the machine id; `undefined` without either.
 *
 * Prefers the UUID, which only root can read, because clones of one image often share a machine id (machine-id(5)). In
 * a container, ignores the UUID, because there it identifies the host.
 */
export async function machineId(host: HostReader): Promise<string | undefined> {
  const isContainer = (await host.stat('/run/systemd/container')) !== undefined;
  const firmware = isContainer ? undefined : await line(host, '/sys/class/dmi/id/product_uuid');
  return firmware !== undefined && isUnique(firmware)
    ? firmware.toLowerCase()
    : line(host, '/etc/machine-id');
}

async function line(host: HostReader, path: string): Promise<string | undefined> {
  const found = await host.readFile(path).catch(() => undefined);
  return found?.content.trim() || undefined;
}

/**
 * True for a valid UUID that the vendor has set. If the vendor set none, the firmware reports only zeros, only Fs, or a
 * default UUID that many machines share.
 */
function isUnique(uuid: string): boolean {
  const isFilledIn = !/^(?:0[0-]+|f[f-]+|03000200-0400-0500-0006-000700080009)$/i.test(uuid);
  return isFilledIn && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid);
}
