import type { Change } from '../../engine/resource.ts';
import { ownedKeys } from './key-owners.ts';
import { type SecretMetadata, secretAnnotations } from './secret-object.ts';
import type { WishedSecret } from './wished-secret.ts';

/** Returns the differences between a Secret and the wish, without the values; a missing Secret is one difference. */
export function secretChanges(found: SecretMetadata | undefined, wish: WishedSecret): readonly Change[] {
  if (found === undefined) {
    return [{ field: 'Secret', observed: undefined, desired: 'present' }];
  }
  const { annotations, labels } = found;
  const owned = ownedKeys(found).toSorted().join(', ');
  const keys = wish.keys.toSorted().join(', ');
  return [
    { field: 'settings', observed: annotations?.[secretAnnotations.form], desired: wish.form },
    { field: 'keys of Slipway', observed: owned, desired: keys },
    ...Object.entries(wish.labels).map(([key, desired]) => ({
      field: key,
      observed: labels?.[key],
      desired,
    })),
  ].filter(({ observed, desired }) => observed !== desired);
}
