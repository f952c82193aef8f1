import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { overlap, placeOf } from '../../src/limit/limited-session.ts'
import { createIdentify, type PathPatterns } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'

/** The place of a session that this path opens, as the gate reads paths. */
function place(path: string, patterns: Partial<PathPatterns> = {}): string {
  const options = { channelPattern: undefined, credentialPattern: undefined, ...patterns }
  const identify = createIdentify({ ...options, tokenParams: ['token'], ignoredParams: [] })
  const request = {
    address: '192.0.2.1',
    origin: 'https://example.com',
    query: '',
    userAgent: '',
    playbackId: '',
  }
  return placeOf(createScopeOf(options)(identify({ ...request, path })))
}

const channelPattern = /^\/live\/([^/]+)\//
const credentialPattern = /^\/(?:live|movie)\/([^/]+)\/([^/]+)\//

describe('the place of a session', () => {
  test('is its channel, else the directory of a playlist, else its path', () => {
    assert.equal(place('/live/news/index.m3u8', { channelPattern }), '<news>')
    assert.equal(place('/live/news/1.ts', { channelPattern }), '<news>')
    assert.equal(place('/live/news/index.m3u8'), '/live/news/')
    assert.equal(place('/film.mp4'), '/film.mp4')
    assert.equal(place('/index.m3u8'), '/.')
  })

  test('a playlist at the root is at one place with its like, and contains nothing', () => {
    assert.ok(overlap(place('/a.m3u8'), place('/b.m3u8')))
    assert.ok(!overlap(place('/a.m3u8'), place('/film.mp4')))
    assert.ok(!overlap(place('/a.m3u8'), place('/live/news/index.m3u8')))
  })

  test('a channel is told from a directory of the same name', () => {
    const anything = { channelPattern: /^(\/live\/)/ }
    assert.ok(!overlap(place('/live/index.m3u8', anything), '/live/'))
    assert.ok(!overlap('/', place('/live/index.m3u8', anything)))
  })

  test('holds no path credential, so a new one in the URL is the same place', () => {
    const one = place('/live/anna/secret/5.m3u8', { credentialPattern })
    assert.doesNotMatch(one, /anna|secret/)
    assert.equal(place('/live/anna/other/5.m3u8', { credentialPattern }), one)
    assert.notEqual(place('/live/anna/secret/50.m3u8', { credentialPattern }), one)
    assert.ok(!overlap(place('/live/anna/secret/50.m3u8', { credentialPattern }), one))
  })

  test('behind a path credential a directory contains its children', () => {
    const master = place('/movie/anna/secret/film/index.m3u8', { credentialPattern })
    const child = place('/movie/anna/secret/film/video/index.m3u8', { credentialPattern })
    assert.ok(overlap(master, child))
    assert.ok(!overlap(master, place('/movie/anna/secret/other/index.m3u8', { credentialPattern })))
  })

  test('has 100 bytes at most, and long ones stay different', () => {
    const long = 'x'.repeat(300)
    const paths = [
      `/live/${long}/index.m3u8`,
      `/live/${long}y/index.m3u8`,
      `/${long}.mp4`,
      `/live/${'a/'.repeat(100)}index.m3u8`,
    ]
    const places = [...paths.map((path) => place(path)), place(`/live/${long}/a.ts`, { channelPattern })]
    assert.equal(new Set(places).size, paths.length + 1)
    for (const one of places) assert.ok(one.length <= 100, one)
    assert.equal(place(`/${'x'.repeat(98)}/a.m3u8`), `/${'x'.repeat(98)}/`)
  })

  test('a long one lies in the directories that contain it', () => {
    const child = place(`/live/news/${'x'.repeat(200)}/index.m3u8`)
    assert.ok(overlap(place('/live/news/index.m3u8'), child))
    assert.ok(!overlap(place('/live/sports/index.m3u8'), child))
  })
})
