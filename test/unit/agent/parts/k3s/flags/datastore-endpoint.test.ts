import { describe, expect, test } from 'vitest';
import { parseEndpoint, placeOf } from '../../../../../../src/agent/parts/k3s/flags/datastore-endpoint.ts';

const db = (port: number) => [{ host: 'db.example.com', port }];

describe('parseEndpoint', () => {
  test.each([
    ['postgres://k3s:pw@db.example.com/cluster', 'PostgreSQL', db(5432), false],
    ['postgresql://k3s:p%40w@db.example.com:6000/Cluster?sslmode=verify-full', 'PostgreSQL', db(6000), true],
    ['postgres://k3s:p@w@db.example.com', 'PostgreSQL', db(5432), false],
    ['postgres://db.example.com/k3s?sslmode=require', 'PostgreSQL', db(5432), true],
    ['mysql://k3s:p/w@d@tcp(db.example.com:3307)/k3s?charset=utf8', 'MySQL', db(3307), false],
    ['mysql://k3s:pw@tcp(db.example.com)/', 'MySQL', db(3306), false],
    ['mysql://k3s:pw@unix(/run/mysqld.sock)/k3s', 'MySQL', [], false],
    ['https://db.example.com:2379', 'etcd', db(2379), true],
    ['nats://k3s:pw@db.example.com?bucket=a', 'NATS', db(4222), false],
  ])('reads %s', (text, kind, hosts, isEncrypted) => {
    expect(parseEndpoint(text)).toMatchObject({ kind, hosts, isEncrypted });
  });

  test('reads several hosts', () => {
    const hosts = [
      { host: 'a', port: 5433 },
      { host: 'fd00::5', port: 5432 },
    ];
    expect(parseEndpoint('postgres://k3s@a:5433,[fd00::5]/k3s')).toMatchObject({ hosts });
    expect(parseEndpoint('https://a:2379,https://b:2379')).toMatchObject({
      hosts: [
        { host: 'a', port: 2379 },
        { host: 'b', port: 2379 },
      ],
    });
    expect(parseEndpoint('nats://a,nats://b:4223')).toMatchObject({
      hosts: [
        { host: 'a', port: 4222 },
        { host: 'b', port: 4223 },
      ],
    });
  });

  test.each([
    ['', 'does not begin with a scheme'],
    ['db.example.com:5432', 'does not begin with a scheme'],
    ['postgres://k3s:canary pw@db/k3s', 'percent-encoding'],
    ['postgres://k3s:can/ary@db/k3s', 'percent-encoding'],
    ['postgres://k3s:can#ary@db/k3s', 'percent-encoding'],
    ['postgres://k3s:canary%zz@db/k3s', 'percent-encoding'],
    ['postgres://k3s:can^ary@db/k3s', 'percent-encoding'],
    ['postgres://k3s:canary@db:port/k3s', 'no valid host and port'],
    ['postgres://k3s:canary@db:70000/k3s', 'no valid host and port'],
    ['postgres:///k3s', 'no valid host and port'],
    ['mysql://k3s:canary@db:3306/k3s', 'tcp(HOST:3306)'],
    ['mysql://k3s:canary@tcp(db:3306)', 'tcp(HOST:3306)'],
    ['https://k3s:canary@db:2379', 'datastore.certFile'],
    ['http://db:2379', 'use https://'],
    ['sqlite:///var/lib/state.db', 'set k3s.datastore to sqlite'],
    ['canary://db', 'unknown scheme'],
    ['constructor://db', 'unknown scheme'],
  ])('states the fault of %j, and quotes no part of it', (text, clause) => {
    const fault = parseEndpoint(text);
    expect(fault).toEqual(expect.stringContaining(clause));
    expect(fault).not.toMatch(/canary|ary@/);
  });
});

describe('placeOf', () => {
  test.each([
    ['postgres://k3s:old@db/k3s', 'postgresql://other:new@DB:5432/K3s?sslmode=require'],
    ['postgres://k3s@a,b/kubernetes', 'postgres://k3s@b,a'],
    ['mysql://k3s:old@tcp(db)/k3s', 'mysql://k3s:new@tcp(db:3306)/k3s?timeout=5s'],
    ['https://a:2379,https://b:2379', 'https://b:2379,https://a:2379'],
    ['nats://u:old@a', 'nats://u:new@a:4222?bucket=kine'],
  ])('is the same for %s and %s', (one, other) => {
    expect(placeOf(one)).toBe(placeOf(other));
  });

  test.each([
    ['postgres://k3s:pw@db/k3s', 'postgres://k3s:pw@db/other'],
    ['postgres://k3s:pw@db/k3s', 'postgres://k3s:pw@db2/k3s'],
    ['postgres://k3s:pw@db/k3s', 'postgres://k3s:pw@db:5433/k3s'],
    ['postgres://k3s:pw@db/k3s', 'postgres://k3s:pw@db/k3s?search_path=b'],
    ['postgres://k3s:pw@db/k3s', 'mysql://k3s:pw@tcp(db:5432)/k3s'],
    ['nats://a', 'nats://a?bucket=b'],
    ['mysql://k3s@unix(/a)/k3s', 'mysql://k3s@unix(/b)/k3s'],
  ])('differs for %s and %s', (one, other) => {
    expect(placeOf(one)).not.toBe(placeOf(other));
  });

  test('contains no login', () => {
    expect(placeOf('postgres://user:canary@db/k3s?password=canary')).toBe('PostgreSQL db:5432/k3s');
  });
});
