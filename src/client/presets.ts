/** Middlewares whose path is documented; with `custom` the URL is used as the operator wrote it. */
export const middlewares = ['custom', 'ministra', 'iptvportal', 'smarty'] as const
export type Middleware = (typeof middlewares)[number]

/**
 * The path at which each middleware answers media servers. Public source: Cesbo's documentation of Alta,
 * "HTTP authorization backend" (https://help.cesbo.com/alta/ott-settings/authorization/http-backend).
 */
export const pathOf: Readonly<Record<Exclude<Middleware, 'custom'>, string>> = {
  ministra: '/stalker_portal/server/api/chk_flussonic_tmp_link.php',
  iptvportal: '/auth/arescrypt/',
  smarty: '/tvmiddleware/api/streamservice/token/check/',
}

/**
 * Settings that a preset gives other values than their defaults. Middlewares run behind a web server, which
 * answers 502, 503 or 504 when the script behind it is dead. With ALLOW_TTL=session, as in Alta, a backend is
 * not asked again while its session lasts.
 */
export const presetTexts: Readonly<Record<string, string>> = {
  ALLOW_TTL: 'session',
  UNAVAILABLE_STATUS: '502 503 504',
}

/**
 * Adds the documented path to a URL without one (`http://portal.example.com`); returns any other unchanged.
 */
export function completeUrl(middleware: Middleware, url: string): string {
  if (middleware === 'custom') return url
  const bare = /^(https?:\/\/[^/?#]+)\/?$/i.exec(url)
  return bare === null ? url : `${bare[1]}${pathOf[middleware]}`
}
