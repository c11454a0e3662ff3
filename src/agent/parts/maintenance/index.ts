/** The exports of the maintenance part for the list of parts. */

export { maintenancePart } from './part.ts';
export {
  readTurn,
  type TurnAnnotations,
  type TurnGrant,
  type TurnRequest,
  type TurnState,
  turnKeys,
} from './turn/annotations.ts';
