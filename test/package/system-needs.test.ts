import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareVersions, type Needs, readNeeds } from './elf.ts';
import { packaged } from './executable.ts';

/** The newest symbol versions of the oldest supported system, RHEL 8: glibc 2.28, and libstdc++ and libgcc of GCC 8. */
const oldest: Needs['newest'] = { GLIBC: [2, 28], GLIBCXX: [3, 4, 25], CXXABI: [1, 3, 11], GCC: [8] };

/** The libraries that every supported system has, even a minimal one. A minimal Debian lacks even libatomic.so.1. */
const libraries = [
  'libc',
  'libdl',
  'libgcc_s',
  'libm',
  'libpthread',
  'libstdc++',
  'ld-linux-(x86-64|aarch64)',
];
const anywhere = new RegExp(
  `^(${libraries.map((name) => name.replaceAll('+', '\\+')).join('|')})\\.so\\.\\d+$`,
);

describe.each(['x64', 'arm64'] as const)('the executable for %s', (architecture) => {
  const needs = () => readNeeds(readFileSync(packaged(architecture)));

  test('is built for this architecture', () => {
    expect(needs().machine).toBe(architecture);
  });

  test('needs only libraries of a minimal system', () => {
    const found = needs().libraries;
    expect(found.length).toBeGreaterThan(3);
    expect(found.filter((library) => !anywhere.test(library))).toEqual([]);
  });

  test.each(Object.keys(oldest))('needs no newer %s than RHEL 8 has', (family) => {
    const newest = needs().newest[family] ?? [];
    expect(newest.length).toBeGreaterThan(0);
    expect(compareVersions(newest, oldest[family] ?? [])).toBeLessThanOrEqual(0);
  });

  test('needs only families of symbol versions that RHEL 8 has', () => {
    expect(Object.keys(oldest)).toEqual(expect.arrayContaining(Object.keys(needs().newest)));
  });
});

test('compareVersions compares versions as numbers', () => {
  expect(compareVersions([2, 36], [2, 4])).toBeGreaterThan(0);
  expect(compareVersions([2, 28], [2, 28])).toBe(0);
  expect(compareVersions([3, 4], [3, 4, 1])).toBeLessThan(0);
});
