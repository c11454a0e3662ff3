/** The reasons about an interruption of the node's service. */
export const maintenanceReasons = {
  Held: 'A person holds this node: Slipway neither starts nor restarts K3s until the hold is released.',
  Draining: 'The node waits until the pods that it evicted have ended.',
  EvictionRefused:
    'A pod may not be evicted now, mostly because of its disruption budget; the message quotes the API. The drain ends after its time limit.',
  DrainGaveUp:
    'Pods were left at the end of a drain, so the node was not interrupted; the message names the pods and the budgets.',
  TurnGivenUp:
    'The node gave up its turn before it was interrupted, and waits for another one; the message says why.',
  TurnFailed:
    'A node failed in its turn, so no further node is interrupted for the same reason; the message has the command that continues.',
  TurnHeld: 'A node has been in its turn for more than an hour, so other nodes may wait for it.',
  TurnUnknown: 'A command names a node that has no turn, or a wish with which no node has failed.',
  TurnsUnreadable:
    'The ledger of turns in the cluster is damaged, so no turn is granted; the message has the command that starts a new ledger.',
  EventScheduled: 'The cloud has announced an interruption of this VM; the message says which one and when.',
  EventsUnsupported:
    'The settings ask for the interruptions that the cloud announces, but this cloud announces none.',
  WindowClosed: 'A change that interrupts the node waits for a maintenance window.',
  TurnAwaited: 'A change that interrupts the node waits for the turn of the node, which a server grants.',
  InTurn: 'The node is in its turn: it may be cordoned, and K3s may restart.',
  NodeAway:
    'Kubelet of a node has not reported for ten minutes; the message has the command and the consent that remove the Node of a VM that is gone.',
  NodeKept:
    'A command or a consent is about a node that has to stay in the cluster: it is running, a server, or in its turn; the message says which.',
  RebootRequired:
    'The distribution asks for a reboot of the machine; the message names the packages and the time.',
  RebootFailed:
    'The machine did not reboot, or the reboot did not help, so Slipway does not reboot it again; the message has the next step.',
  OtherActor:
    'Another program may interrupt nodes at any time, so no turn is taken; the message names the program, and the consent that allows both.',
} as const;
