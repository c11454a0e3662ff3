import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { fileText } from '../../resources/file-text.ts';

/** A boot of this machine, and the time since it began. */
export interface BootTime {
  /** The id of the boot: 32 hexadecimal digits that no other boot has. */
  readonly boot: string;
  /** The seconds since the boot began. */
  readonly seconds: number;
}

/**
 * Reads the id of this boot and the time since it began (random(4), boot_id; proc_uptime(5)). This time is never set,
 * and continues while the machine is suspended and after Slipway restarts. Throws `FileSystemError` if the kernel does
 * not show both.
 */
export async function bootTime(host: HostReader): Promise<BootTime> {
  const [id, uptime] = await Promise.all([fileText(host, bootId), fileText(host, '/proc/uptime')]);
  const boot = id.trim().replaceAll('-', '').toLowerCase();
  const seconds = Number.parseFloat(uptime);
  if (!/^[0-9a-f]{32}$/.test(boot) || !Number.isFinite(seconds)) {
    throw new NodeError(
      'FileSystemError',
      `The kernel does not show this boot (${bootId}) and its time (/proc/uptime): mount /proc.`,
    );
  }
  return { boot, seconds };
}

const bootId = '/proc/sys/kernel/random/boot_id';
