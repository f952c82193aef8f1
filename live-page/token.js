const NAME = 'alta-auth admin token'

/** Keeps the admin token while this tab is open. */
export function createToken() {
  return {
    read: () => sessionStorage.getItem(NAME) ?? '',
    /** @param {string} token */
    keep: (token) => sessionStorage.setItem(NAME, token),
    forget: () => sessionStorage.removeItem(NAME),
  }
}

/** @typedef {ReturnType<typeof createToken>} Token */
