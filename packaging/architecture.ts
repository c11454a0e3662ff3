/** A processor architecture for which Slipway is packaged, under the name that Node gives it. */
export type Architecture = 'x64' | 'arm64';

interface Toolchain {
  /** The prefix of the Debian binutils that handle files of this architecture on any machine. */
  readonly binutils: string;
  /** The command that emulates this architecture with the libraries from Debian's cross packages. */
  readonly emulator: readonly [file: string, ...args: string[]];
}

export const toolchains = {
  x64: {
    binutils: 'x86_64-linux-gnu',
    emulator: ['qemu-x86_64-static', '-L', '/usr/x86_64-linux-gnu'],
  },
  arm64: {
    binutils: 'aarch64-linux-gnu',
    emulator: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
  },
} satisfies Record<Architecture, Toolchain>;

export const architectures: readonly Architecture[] = ['x64', 'arm64'];

export function isArchitecture(name: string): name is Architecture {
  return architectures.some((architecture) => architecture === name);
}
