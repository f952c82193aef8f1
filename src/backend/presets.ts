/** Middlewares whose path is documented; `custom` is whatever the operator wrote. */
export const middlewares = ['custom', 'ministra', 'iptvportal', 'smarty'] as const
export type Middleware = (typeof middlewares)[number]

/** Where each middleware answers media servers (Cesbo's documentation of Alta's backends). */
export const pathOf: Readonly<Record<Exclude<Middleware, 'custom'>, string>> = {
  ministra: '/stalker_portal/server/api/chk_flussonic_tmp_link.php',
  iptvportal: '/auth/arescrypt/',
  smarty: '/tvmiddleware/api/streamservice/token/check/',
}

/** Completes a bare base URL (`http://portal.example.com`, a slash or none behind it) to the documented path. */
export function completeUrl(middleware: Middleware, url: string): string {
  if (middleware === 'custom') return url
  const bare = /^(https?:\/\/[^/?#]+)\/?$/i.exec(url)
  return bare === null ? url : `${bare[1]}${pathOf[middleware]}`
}
