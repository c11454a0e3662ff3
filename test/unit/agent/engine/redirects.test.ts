import { describe, expect, test } from 'vitest';
import { followRedirects, whyRefused } from '../../../../src/agent/engine/redirects.ts';

/**
 * The redirect at each address: its target, or its status and target; the default status is 302. All other addresses
 * answer 200.
 */
type Web = Readonly<Record<string, string | { readonly status: number; readonly location?: string }>>;

async function follow(start: string, web: Web) {
  const asked: string[] = [];
  const found = await followRedirects(new URL(start), async ({ href }) => {
    asked.push(href);
    const answer = web[href];
    if (answer === undefined) {
      return { status: 200, headers: {} };
    }
    if (typeof answer === 'string') {
      return { status: 302, headers: { location: answer } };
    }
    const { status, location } = answer;
    return { status, headers: location === undefined ? {} : { location } };
  });
  return { ...found, asked };
}

test('followRedirects returns an answer that does not redirect', async () => {
  const { answer, url, refused } = await follow('https://a.example/x', {});
  expect([answer.status, url.href, refused]).toEqual([200, 'https://a.example/x', undefined]);
});

test('followRedirects resolves a target relative to the redirecting address', async () => {
  const web = {
    'http://a.example/': 'http://b.example/x',
    'http://b.example/x': 'https://b.example/y/',
    'https://b.example/y/': 'z?q=1',
  };
  const { url, asked } = await follow('http://a.example/', web);
  expect(url.href).toBe('https://b.example/y/z?q=1');
  expect(asked).toHaveLength(4);
});

test.each([301, 302, 303, 307, 308])('followRedirects follows a redirect with status %i', async (status) => {
  const { answer } = await follow('https://a.example/', {
    'https://a.example/': { status, location: '/b' },
  });
  expect(answer.status).toBe(200);
});

test.each([
  { status: 300, location: '/b' },
  { status: 304, location: '/b' },
  { status: 201, location: '/b' },
  { status: 302 },
])(
  'followRedirects does not follow an answer that lacks a redirect status or a location: %j',
  async (redirect) => {
    const { answer, refused } = await follow('https://a.example/', { 'https://a.example/': redirect });
    expect([answer.status, refused]).toEqual([redirect.status, undefined]);
  },
);

describe('followRedirects', () => {
  test('refuses the sixth redirect', async () => {
    const { refused, asked } = await follow('https://a.example/', { 'https://a.example/': '/' });
    expect(refused && whyRefused(refused)).toBe('redirects more than 5 times');
    expect(asked).toHaveLength(6);
  });

  test.each([
    ['http://b.example/', 'redirects from https to http://b.example, which is refused'],
    ['ftp://b.example/', 'redirects to ftp:, which is not http or https'],
    ['https://', 'redirects to something that is not a URL'],
  ])('does not follow a redirect from https to %s, and returns the reason', async (location, why) => {
    const found = await follow('https://a.example/', { 'https://a.example/': location });
    expect(found.refused && whyRefused(found.refused)).toBe(why);
    expect(found.answer.status).toBe(302);
    expect(found.asked).toHaveLength(1);
  });
});
