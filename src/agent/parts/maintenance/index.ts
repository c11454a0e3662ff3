/** The exports of the maintenance part for the list of parts. */

export { type BootTime, bootTime } from './boot-time.ts';
export { cordonReturned, cordonStep, uncordonStep } from './drain/cordon.ts';
export { type DrainOptions, drainStep, type GaveUp } from './drain/drain.ts';
export { emptiedStep } from './drain/emptied-step.ts';
export { emptyNode } from './drain/empty-node.ts';
export { unlessStopped } from './events/clean-stop.ts';
export { type EventMemory, eventMemory, forgetEvents, lookForEvents } from './events/memory.ts';
export { keepsCordon, type NodeEvents, untilEventIsOver } from './events/node-events.ts';
export { scheduledEvents } from './events/scheduled-events.ts';
export { asMaintenance, type MaintenanceGate, maintenanceGate } from './gate/gate.ts';
export { heldStep, hold, holdOf, holdReported, release, unlessHeld } from './gate/hold.ts';
export { holdShown } from './gate/hold-shown.ts';
export { turnEnded } from './gate/turn-ended.ts';
export { type Forgettable, forgettable } from './nodes/forget.ts';
export { goneNodes } from './nodes/gone-nodes.ts';
export { vmIdShown } from './nodes/vm-id.ts';
export { maintenancePart } from './part.ts';
export { rebooted, rebootGivenUp } from './reboot/reboot.ts';
export {
  readTurn,
  type TurnAnnotations,
  type TurnGrant,
  type TurnRequest,
  type TurnState,
  turnKeys,
} from './turn/annotations.ts';
export { bellInterval, turnBell } from './turn/bell.ts';
export { giveOrder, reportTurns, type TurnsReport } from './turn/by-person.ts';
export { type Decision, decide, type Wait } from './turn/decide.ts';
export { forgetTurns } from './turn/forget-turns.ts';
export { turns } from './turn/granter.ts';
export { noticeRemoved } from './turn/notice-removed.ts';
export { type TurnMemory, turnMemory } from './turn/observations.ts';
export type { Order } from './turn/orders.ts';
export { rotationNotice } from './turn/rotation-notice.ts';
export { tokenShown } from './turn/token-shown.ts';
