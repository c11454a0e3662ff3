/**
 * The pages of a bbolt database, the format of etcd's file and of its snapshots (go.etcd.io/bbolt, internal/common):
 * two pages of metadata, and then a tree of buckets, whose leaves are entries sorted by key.
 */
import { readSync } from 'node:fs';

/** An entry of a bucket. */
export interface BoltEntry {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly isBucket: boolean;
}

/** An open database: its file, and what its metadata says. */
export interface BoltFile {
  readonly fd: number;
  readonly pageSize: number;
  /** The number of pages. */
  readonly pages: number;
  /** The page at the root of all buckets. */
  readonly root: number;
}

/** The sizes and marks of the format. */
const [pageHead, elementHead, bucketHead] = [16, 16, 16];
const [magic, version] = [0xed0cdaed, 2];
const flags = { branch: 1, leaf: 2, meta: 4, isBucket: 1 } as const;
/** The bytes of the metadata before its checksum. */
const checked = 56;
const pageSizes: readonly number[] = [1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536];

/**
 * Reads the metadata of a database with this number of bytes. In a snapshot, both pages of metadata are whole and name
 * the same root (bbolt, Tx.WriteTo). Throws an Error for anything else.
 */
export function openBolt(fd: number, bytes: number): BoltFile {
  const first = metaAt(fd, 0);
  const second = metaAt(fd, first.pageSize);
  if (first.root !== second.root || first.pages !== second.pages || first.pageSize !== second.pageSize) {
    throw new Error('its two pages of metadata differ');
  }
  if (first.pages * first.pageSize !== bytes) {
    throw new Error(`it has ${bytes} bytes of data, and its metadata says ${first.pages * first.pageSize}`);
  }
  return { fd, ...first };
}

function metaAt(fd: number, position: number): Omit<BoltFile, 'fd'> {
  const page = bytesAt(fd, position, pageHead + checked + 8);
  const meta = page.subarray(pageHead);
  const pageSize = meta.readUInt32LE(8);
  const isMeta = page.readUInt16LE(8) === flags.meta && meta.readUInt32LE(0) === magic;
  if (!isMeta || meta.readUInt32LE(4) !== version || !pageSizes.includes(pageSize)) {
    throw new Error(`the page at byte ${position} is not the metadata of a database of etcd`);
  }
  if (meta.readBigUInt64LE(checked) !== fnv(meta.subarray(0, checked))) {
    throw new Error(`the checksum of the metadata at byte ${position} is wrong`);
  }
  return { pageSize, root: numberAt(meta, 16), pages: numberAt(meta, 40) };
}

/** Returns the 64-bit FNV-1a hash of some bytes. */
function fnv(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}

/** Yields the entries of a top-level bucket, by key. Throws an Error if a page of it is damaged. */
export function* bucketEntries(file: BoltFile, name: string): Generator<BoltEntry> {
  const budget = { pages: file.pages };
  for (const { key, value, isBucket } of entriesFrom(file, file.root, budget)) {
    if (isBucket && key.toString() === name) {
      const root = numberAt(value, 0);
      // A small bucket is kept in its own entry.
      yield* root === 0 ? leafEntries(value.subarray(bucketHead)) : entriesFrom(file, root, budget);
      return;
    }
  }
  throw new Error(`it has no bucket "${name}"`);
}

/** The pages that may still be read: a tree that has more pages than its file goes in circles. */
interface Budget {
  pages: number;
}

function* entriesFrom(file: BoltFile, id: number, budget: Budget): Generator<BoltEntry> {
  const page = pageOf(file, id, budget);
  if (page.readUInt16LE(8) === flags.leaf) {
    yield* leafEntries(page);
    return;
  }
  if (page.readUInt16LE(8) !== flags.branch) {
    throw new Error(`page ${id} is neither a branch nor a leaf`);
  }
  const count = page.readUInt16LE(10);
  for (let index = 0; index < count; index++) {
    yield* entriesFrom(file, numberAt(page, pageHead + index * elementHead + 8), budget);
  }
}

function* leafEntries(page: Buffer): Generator<BoltEntry> {
  const count = page.readUInt16LE(10);
  for (let index = 0; index < count; index++) {
    const at = pageHead + index * elementHead;
    const from = at + page.readUInt32LE(at + 4);
    const middle = from + page.readUInt32LE(at + 8);
    const to = middle + page.readUInt32LE(at + 12);
    if (to > page.length) {
      throw new Error('an entry leads beyond its page');
    }
    const isBucket = (page.readUInt32LE(at) & flags.isBucket) !== 0;
    yield { key: page.subarray(from, middle), value: page.subarray(middle, to), isBucket };
  }
}

/** Returns a page with the pages into which it overflows. */
function pageOf({ fd, pageSize, pages }: BoltFile, id: number, budget: Budget): Buffer {
  const head = bytesAt(fd, id * pageSize, pageSize);
  const overflow = head.readUInt32LE(12);
  budget.pages -= 1 + overflow;
  if (numberAt(head, 0) !== id || id + overflow >= pages || budget.pages < 0) {
    throw new Error(`page ${id} is damaged`);
  }
  return overflow === 0 ? head : bytesAt(fd, id * pageSize, pageSize * (1 + overflow));
}

function bytesAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const read = readSync(fd, bytes, 0, length, position);
  if (read < length) {
    throw new Error(`it ends after ${position + read} bytes, in the middle of a page`);
  }
  return bytes;
}

function numberAt(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset));
}
