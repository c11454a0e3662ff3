/** The requirements of a dynamically linked ELF executable. */
export interface Needs {
  /** The shared libraries, by the names that the loader uses. */
  readonly libraries: readonly string[];
  /** The newest version that the executable needs in each family of symbol versions, such as GLIBC: [2, 28]. */
  readonly newest: Readonly<Record<string, readonly number[]>>;
  readonly machine: 'x64' | 'arm64' | 'other';
}

/**
 * Section types, a dynamic tag and machine numbers, from elf(5) and the symbol versioning chapter of the LSB core
 * specification.
 */
const SHT_DYNAMIC = 6;
const SHT_GNU_VERNEED = 0x6ffffffe;
const DT_NEEDED = 1n;
const EM_X86_64 = 62;
const EM_AARCH64 = 183;

/** Returns the requirements of a 64-bit little-endian ELF file. */
export function readNeeds(file: Buffer): Needs {
  const sections = readSections(file);
  const machine = file.readUInt16LE(18);
  return {
    libraries: neededLibraries(file, sections),
    newest: newestVersions(neededVersions(file, sections)),
    machine: machine === EM_X86_64 ? 'x64' : machine === EM_AARCH64 ? 'arm64' : 'other',
  };
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** The index of the section that contains this section's strings. */
  readonly link: number;
}

function readSections(file: Buffer): readonly Section[] {
  const table = Number(file.readBigUInt64LE(40));
  const [size, count] = [file.readUInt16LE(58), file.readUInt16LE(60)];
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
    };
  });
}

function neededLibraries(file: Buffer, sections: readonly Section[]): readonly string[] {
  const dynamic = only(sections, SHT_DYNAMIC);
  const entries = Array.from({ length: dynamic.size / 16 }, (_, index) => dynamic.offset + index * 16);
  return entries
    .filter((at) => file.readBigUInt64LE(at) === DT_NEEDED)
    .map((at) => text(file, sections, dynamic, Number(file.readBigUInt64LE(at + 8))));
}

/** Returns the symbol versions in .gnu.version_r: a chain of needed libraries, each with a chain of versions. */
function neededVersions(file: Buffer, sections: readonly Section[]): readonly string[] {
  const section = only(sections, SHT_GNU_VERNEED);
  return chain(file, section.offset, 12).flatMap((need) =>
    chain(file, need + file.readUInt32LE(need + 8), 12).map((version) =>
      text(file, sections, section, file.readUInt32LE(version + 8)),
    ),
  );
}

/**
 * Returns the offsets of the entries of a chain. In each entry, the field at `nextAt` contains the distance to the next
 * entry, or 0 if the entry is the last one.
 */
function chain(file: Buffer, first: number, nextAt: number): readonly number[] {
  const entries = [first];
  for (const entry of entries) {
    const next = file.readUInt32LE(entry + nextAt);
    if (next !== 0) {
      entries.push(entry + next);
    }
  }
  return entries;
}

function newestVersions(names: readonly string[]): Needs['newest'] {
  const newest: Record<string, readonly number[]> = {};
  for (const name of names) {
    const [, family = '', digits = ''] = name.match(/^(\w+)_([\d.]+)$/) ?? [];
    const version = digits.split('.').map(Number);
    if (family !== '' && compareVersions(version, newest[family] ?? []) > 0) {
      newest[family] = version;
    }
  }
  return newest;
}

/**
 * Compares two versions; returns a negative number if `a` is older, a positive number if `a` is newer, and zero if they
 * are equal.
 */
export function compareVersions(a: readonly number[], b: readonly number[]): number {
  const length = Math.max(a.length, b.length);
  const differences = Array.from({ length }, (_, index) => (a[index] ?? 0) - (b[index] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

function only(sections: readonly Section[], type: number): Section {
  const section = sections.find((each) => each.type === type);
  if (section === undefined) {
    throw new Error(`No section of type 0x${type.toString(16)}`);
  }
  return section;
}

function text(file: Buffer, sections: readonly Section[], section: Section, offset: number): string {
  const start = (sections[section.link]?.offset ?? 0) + offset;
  return file.toString('latin1', start, file.indexOf(0, start));
}
