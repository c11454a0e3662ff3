import { nodePaths } from '../../src/agent/paths.ts';
import type { Machine } from './machine.ts';

const { system } = nodePaths('/');

/** The reboots of a machine that its distribution asks for, and that Slipway orders. */
export class Reboots {
  /** Restarts the machine; the fleet defines how. */
  perform = () => {};
  readonly #machine: Machine;
  /** How often Slipway has ordered a reboot for each list of packages. */
  readonly #orders = new Map<string, number>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Asks for a reboot for a package, as the distribution does after an update. */
  ask(name: string): void {
    this.#machine.note(`asks for a reboot for ${name}`);
    this.#machine.files.write(system.rebootRequired, '');
    this.#machine.files.write(system.rebootPackages, `${name}\n`);
  }

  get isAsked(): boolean {
    return this.#machine.files.stat(system.rebootRequired) !== undefined;
  }

  /** True if a reboot was ordered twice for the same packages. */
  get isRepeated(): boolean {
    return [...this.#orders.values()].some((orders) => orders > 1);
  }

  /** Carries out an order to reboot. */
  order(): void {
    const cause = this.#machine.files.text(system.rebootPackages) ?? '';
    this.#orders.set(cause, (this.#orders.get(cause) ?? 0) + 1);
    this.perform();
  }
}
