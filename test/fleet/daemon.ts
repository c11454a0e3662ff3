import { alarm, clockJump } from '../../src/agent/alarm.ts';
import { askingOnceEachPass } from '../../src/agent/engine/asking-once.ts';
import { type Condition, conditionsOf } from '../../src/agent/engine/conditions.ts';
import type { Host } from '../../src/agent/engine/host.ts';
import { type Attempts, reconcile } from '../../src/agent/engine/reconcile.ts';
import type { Outcome, Resource } from '../../src/agent/engine/resource.ts';
import { conditionTypes } from '../../src/agent/vocabulary.ts';
import { nextWake } from '../../src/agent/wake.ts';
import type { FleetApi } from './fleet-api.ts';
import { FleetHost, type Process } from './fleet-host.ts';
import type { FleetNode } from './fleet-node.ts';

/** Makes the plan of one process, which may remember things between passes. */
export type MakePlan = (node: FleetNode) => () => readonly Resource[];

/** Returns the Host that the Resources of a process use; a test of a planted fault wraps it. */
export type WrapHost = (host: Host, node: FleetNode) => Host;

const order = { types: conditionTypes, quoted: 'NodeReady' } as const;

/**
 * The daemon of a node: the real reconciler, wake and alarm on the fleet's Host. systemd starts it at boot, and again
 * after it was killed.
 */
export class Daemon {
  readonly node: FleetNode;
  /** The outcomes of the last pass. */
  outcomes: readonly Outcome[] = [];
  passes = 0;
  /** The message of a defect that a pass has reported. */
  defect: string | undefined;
  #process: Process | undefined;
  #alarm = alarm();
  readonly #api: FleetApi;
  readonly #makePlan: MakePlan;
  readonly #wrap: WrapHost;

  constructor(node: FleetNode, api: FleetApi, makePlan: MakePlan, wrap: WrapHost = (host) => host) {
    this.node = node;
    this.#api = api;
    this.#makePlan = makePlan;
    this.#wrap = wrap;
  }

  /** The conditions of the last pass. */
  get conditions(): readonly Condition[] {
    return this.outcomes.length === 0 ? [] : conditionsOf(this.outcomes, [], this.node.machine.now(), order);
  }

  start(): void {
    this.node.machine.shared.timeline.isAwake = true;
    this.#process = { isAlive: true, changesLeft: Number.POSITIVE_INFINITY, onLast: () => {} };
    void this.#live(new FleetHost(this.node, this.#api, this.#process), this.#makePlan(this.node));
  }

  /** Kills the process. systemd starts the next one a while later. */
  kill(): void {
    this.end();
    const { machine } = this.node;
    machine.note('the daemon is killed');
    machine.after(machine.shared.random.between(1, 15) * 1_000, () => this.start());
  }

  /** Ends the process for good, as when the machine is switched off. */
  end(): void {
    if (this.#process) {
      this.#process.isAlive = false;
      this.#process = undefined;
    }
  }

  /** Wakes the daemon, as a change of the settings does. */
  ring(): void {
    this.#alarm.ring('a change of the settings');
  }

  /** Calls `happen` just before the change that follows `changes` others of this process. */
  before(changes: number, happen: () => void): void {
    const process = this.#process;
    if (process) {
      process.changesLeft = changes;
      process.onLast = happen;
    }
  }

  async #live(host: Host, plan: () => readonly Resource[]): Promise<void> {
    const { random } = this.node.machine.shared;
    const seen = this.#wrap(host, this.node);
    const attempts: Attempts = new Map();
    const beginPass = askingOnceEachPass();
    const sleeper = alarm();
    this.#alarm = sleeper;
    for (;;) {
      // A pass reads settings and tags before it checks the first Resource.
      await host.sleep(random.between(10, 100));
      this.outcomes = await reconcile(plan(), { host: beginPass(seen), attempts, random: random.next() });
      this.passes += 1;
      this.#noteDefects();
      const { at } = nextWake(host.now(), this.outcomes);
      if ((await sleeper.sleepUntil(host, at)).includes(clockJump)) {
        attempts.clear();
      }
    }
  }

  /** Notes each defect that the pass reports. */
  #noteDefects(): void {
    for (const outcome of this.outcomes) {
      if ('reason' in outcome && outcome.reason === 'InternalError') {
        this.defect = outcome.message;
        this.node.machine.note(`a defect: ${outcome.message}`);
      }
    }
  }
}
