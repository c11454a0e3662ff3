/**
 * Selects the objects of a list by labels and fields, and cuts the list into pages.
 *
 * Models k8s.io/apiserver pkg/endpoints (query parameters of a list). Deliberately simpler: the token of the next page
 * is a number, so a page does not show the state at the time of the first one.
 */
import type { ApiObject } from './k3s-objects.ts';

/** Returns the objects that the selectors of a query name. */
export function selected(items: readonly ApiObject[], query: URLSearchParams): readonly ApiObject[] {
  return items
    .filter((object) => hasLabels(object, query.get('labelSelector')))
    .filter((object) => hasFields(object, query.get('fieldSelector')));
}

/** Returns the page of a list that a query asks for, and the metadata of the list, with the token of the next page. */
export function pageOf(items: readonly ApiObject[], query: URLSearchParams) {
  const from = Number(query.get('continue') ?? 0);
  const to = from + (Number(query.get('limit') ?? 0) || items.length);
  return { page: items.slice(from, to), metadata: to < items.length ? { continue: String(to) } : {} };
}

function hasLabels({ metadata }: ApiObject, selector: string | null): boolean {
  const labels = Object(metadata.labels);
  return (selector ?? '')
    .split(',')
    .filter(Boolean)
    .every((term) => {
      const [key = '', value] = term.split('=');
      return labels[key] === value;
    });
}

/** True if the object has the fields that a selector such as `spec.nodeName=a` names. */
function hasFields(object: ApiObject, selector: string | null): boolean {
  return (selector ?? '')
    .split(',')
    .filter(Boolean)
    .every((term) => {
      const [path = '', value] = term.split('=');
      return path.split('.').reduce((at, key) => Object(at)[key], Object(object)) === value;
    });
}
