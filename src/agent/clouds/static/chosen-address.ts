/** @module The choice of one address among those of the machine, by range, interface or default route. */
import { BlockList, isIP, isIPv4 } from 'node:net';
import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import { text } from '../../settings/forms.ts';
import type { InterfaceAddress } from '../driver.ts';

/**
 * The form of a setting that chooses an address: an address, a range that contains one, `interface:NAME`, or
 * `default-route`.
 */
export const addressChoice = z.union(
  [
    z.ipv4(),
    z.ipv6(),
    z.cidrv4(),
    z.cidrv6(),
    z.literal('default-route'),
    text(/^interface:[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, 'be a choice'),
  ],
  'must be an IP address such as 10.0.0.4, a range such as 10.0.0.0/16, an interface such as interface:enp7s0, or default-route',
);

/** An address, and its interface if a range or an interface selected the address among those of the machine. */
export interface ChosenAddress {
  readonly address: string;
  readonly interface?: string;
}

/**
 * Returns the address that a choice selects among `all`; `setting` is the path of the choice in the settings. If the
 * choice is itself an address, returns this address even if the machine does not have it. An interface and
 * `default-route` select only IPv4 addresses.
 *
 * Returns the error `NodeAddressUnknown` if no address of the machine matches or if several match. Time may end the
 * first failure, because a provider may attach a private network after the start; only a person can end the second.
 */
export function chosenAddress(
  choice: string,
  setting: string,
  all: readonly InterfaceAddress[],
): ChosenAddress | NodeError {
  if (isIP(choice) !== 0) {
    return { address: choice };
  }
  if (choice === 'default-route') {
    const routed = onDefaultRoute(all);
    return routed
      ? { address: routed }
      : withoutRoute(`${setting} (default-route) selects no address`, setting, all);
  }
  const [only, ...others] = all.filter((each) => fits(choice, each));
  if (only === undefined) {
    return unknownAddress(
      `No address of this machine fits ${setting} (${choice}); it has ${listed(all)}. ${attach(setting)}`,
    );
  }
  if (others.length > 0) {
    const found = listed([only, ...others]);
    const repair = `Set ${setting} to one of them, or to a smaller range.`;
    return unknownAddress(
      `Several addresses of this machine fit ${setting} (${choice}): ${found}. ${repair}`,
      forPerson,
    );
  }
  return { address: only.address, interface: only.interface };
}

/**
 * Returns the address of a machine whose settings do not choose one: the address of the default route's interface or,
 * failing that, the only IPv4 address. Returns the error `NodeAddressUnknown` if there is no such address.
 */
export function usualAddress(all: readonly InterfaceAddress[], setting: string): ChosenAddress | NodeError {
  const [only, ...others] = all.filter(({ address }) => isIPv4(address));
  const address = onDefaultRoute(all) ?? (others.length === 0 ? only?.address : undefined);
  return address === undefined ? withoutRoute('the node has no address', setting, all) : { address };
}

/** Returns the first IPv4 address of the default route's interface; `undefined` without one. */
function onDefaultRoute(all: readonly InterfaceAddress[]): string | undefined {
  return all.find(({ address, hasDefaultRoute }) => hasDefaultRoute && isIPv4(address))?.address;
}

function withoutRoute(effect: string, setting: string, all: readonly InterfaceAddress[]): NodeError {
  return unknownAddress(
    `This machine has no IPv4 default route to an interface with an address, so ${effect}; the machine has ` +
      `${listed(all)}. Slipway waits for the route. Set ${setting} to use another address.`,
  );
}

function attach(setting: string): string {
  return `Attach the network to this machine, or correct ${setting}.`;
}

function fits(choice: string, { interface: name, address }: InterfaceAddress): boolean {
  if (choice.startsWith('interface:')) {
    return choice === `interface:${name}` && isIPv4(address);
  }
  const [network = '', bits] = choice.split('/');
  if (isIP(network) !== isIP(address)) {
    return false;
  }
  const range = new BlockList();
  const family = isIPv4(network) ? 'ipv4' : 'ipv6';
  range.addSubnet(network, Number(bits), family);
  return range.check(address, family);
}

/** The most addresses that a message lists. */
const mostListed = 20;

function listed(addresses: readonly InterfaceAddress[]): string {
  const each = addresses.map(({ address, interface: name }) => `${address} (${name})`);
  const more = each.length > mostListed ? ' and more' : '';
  return each.length === 0 ? 'none' : `${each.slice(0, mostListed).join(', ')}${more}`;
}

function unknownAddress(message: string, options = {}): NodeError {
  return new NodeError('NodeAddressUnknown', message, options);
}
