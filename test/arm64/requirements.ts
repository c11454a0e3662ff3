/** The requirements for booting an emulated arm64 machine: root, and programs of Debian packages. */
import { isInstalled } from '../../packaging/run.ts';

/** The required programs, by their Debian package. */
const packages: Readonly<Record<string, readonly string[]>> = {
  'qemu-system-arm': ['qemu-system-aarch64'],
  'qemu-user-static': ['qemu-aarch64-static'],
  mmdebstrap: ['mmdebstrap'],
  kmod: ['depmod'],
  e2fsprogs: ['mke2fs'],
  dpkg: ['dpkg-deb'],
};

/** Returns the missing requirements, as sentences with a remedy; empty if the machine can be booted. */
export function missing(): readonly string[] {
  const root =
    process.getuid?.() === 0 ? [] : ['The disk of the machine needs root: sudo npm run test:arm64.'];
  const absent = Object.keys(packages).filter((name) => !packages[name]?.every(isInstalled));
  return absent.length === 0
    ? root
    : [...root, `Install what is missing: apt-get install ${absent.join(' ')}.`];
}
