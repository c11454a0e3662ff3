/**
 * An emulated arm64 machine: qemu without KVM, with a kernel and a disk. The machine reports only through its console.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { allPassed } from './inside/console.ts';

export interface Machine {
  readonly kernel: string;
  readonly image: string;
}

/** The longest run in seconds; a machine that hangs is ended. */
const longestRun = 3_600;

/** Boots the machine and prints its console until it powers off. Resolves to true if all checks in it passed. */
export async function runMachine({ kernel, image }: Machine): Promise<boolean> {
  const begun = performance.now();
  const qemu = spawn('timeout', ['--kill-after=10', String(longestRun), ...command(kernel, image)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: qemu.stdout });
  let passed = false;
  lines.on('line', (line) => {
    process.stdout.write(`  ${stripVTControlCharacters(line).trimEnd()}\n`);
    passed ||= line.includes(allPassed);
  });
  const [exitCode] = await once(qemu, 'close');
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const result = exitCode === 0 && passed ? 'passed' : `failed (qemu ended with ${exitCode})`;
  process.stdout.write(`arm64: ${result}, ${seconds} s in the machine\n`);
  return exitCode === 0 && passed;
}

function command(kernel: string, image: string): readonly string[] {
  const console = 'console=ttyAMA0 quiet loglevel=3 systemd.show_status=0';
  return [
    ...[
      'nice',
      '-n',
      '5',
      'qemu-system-aarch64',
      '-M',
      'virt',
      '-cpu',
      'neoverse-n1',
      '-smp',
      '2',
      '-m',
      '2048',
    ],
    ...['-accel', 'tcg,thread=multi', '-nodefaults', '-nographic', '-no-reboot', '-serial', 'stdio'],
    ...['-kernel', kernel, '-append', `${console} root=/dev/nvme0n1 rootwait rw`],
    ...['-drive', `file=${image},format=raw,if=none,id=disk,cache=unsafe`],
    ...['-device', 'nvme,drive=disk,serial=disk'],
  ];
}
