/** User-Agents of real players. Lengths matter for memory, variety for what can be shared. */
export const userAgents: readonly string[] = [
  'Mozilla/5.0 (QtEmbedded; U; Linux; C) AppleWebKit/533.3 (KHTML, like Gecko) MAG200 stbapp ver: 2 rev: 250 Safari/533.3',
  'Mozilla/5.0 (QtEmbedded; U; Linux; C) AppleWebKit/533.3 (KHTML, like Gecko) MAG254 stbapp ver: 4 rev: 2721 Mobile Safari/533.3',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
  'Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36',
  'Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.88 Safari/537.36 WebAppManager',
  'AppleCoreMedia/1.0.0.21F90 (iPhone; U; CPU OS 17_5_1 like Mac OS X; en_us)',
  'AppleCoreMedia/1.0.0.21L569 (Apple TV; U; CPU OS 17_5 like Mac OS X; en_us)',
  'VLC/3.0.21 LibVLC/3.0.21',
  'Lavf/60.16.100',
  'ExoPlayerLib/2.19.1 (Linux;Android 13) ExoPlayerLib/2.19.1',
  'TiviMate/4.7.0 (Amazon AFTKA; Android 9)',
  'IPTVSmartersPlayer/3.1.5 (Linux; Android 11; MIBOX4) ExoPlayer/2.16.1',
  'Kodi/20.2 (Linux; Android 11.0; SHIELD Android TV Build/RQ1A.210105.003) Android/11.0.0 Sys_CPU/armv8l App_Bitness/64',
]
