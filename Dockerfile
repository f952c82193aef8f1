# The gate, and with --target demo the page and the stream that docker-compose.yml shows.
#
#   docker build -t alta-auth .
#   docker run --rm --read-only --network host -e BACKEND_URL=http://127.0.0.1:6000/auth alta-auth
#
# The gate listens on 127.0.0.1:9180 of its network. Share nginx's network, as docker-compose.yml does.
# Otherwise set LISTEN=0.0.0.0:9180 and let nobody but nginx reach it. Nothing is written to the file system,
# except where STATE_URL says: mount a volume at /var/lib/alta-auth and set STATE_URL=file:/var/lib/alta-auth/state.

FROM node:24-slim AS base
WORKDIR /opt/alta-auth

FROM base AS production
COPY package.json package-lock.json .npmrc ./
# The packages that are not in dist/main.js. Of LevelDB for all systems, that of this one stays.
RUN npm ci --omit=dev --ignore-scripts --silent && npm cache clean --force --silent \
 && find node_modules/classic-level/prebuilds -mindepth 1 -maxdepth 1 ! -name "linux-$(node -p process.arch)" -exec rm -r {} +

FROM base AS development
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --silent

FROM development AS build
COPY tools/bundle.mjs tools/
COPY src src
RUN npm run --silent build

FROM base AS demo
COPY --from=development /opt/alta-auth/node_modules/hls.js node_modules/hls.js
COPY package.json ./
COPY demo demo
COPY live-page/base.css live-page/
USER node
CMD ["node", "demo/serve-page.ts"]

FROM base AS gate
ENV NODE_ENV=production
COPY --from=production /opt/alta-auth/node_modules node_modules
COPY --from=build /opt/alta-auth/dist dist
COPY live-page live-page
COPY package.json LICENSE ./
# A new volume that is mounted here gets this owner and mode.
RUN install -d -o node -g node -m 0700 /var/lib/alta-auth
USER node
# No shell and no npm in between: signals reach the gate itself.
CMD ["node", "dist/main.js"]
# With ADMIN_LISTEN=off or at another address, the check must be another, too.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9181/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
