/** What can be done from anywhere, for the palette: its words, and what it does. */
import { look, themes } from '$ui/look.svelte'
import { session, signOut } from '../data/session.svelte'
import { t } from '../words'
import { parseRange, presets } from './range'
import { range } from './range.svelte'
import { router } from './router.svelte'

export interface Action {
  key: string
  name: string
  run: () => void
}

const SPANS = { '1h': 'h1', '6h': 'h6', '24h': 'h24', '7d': 'd7', '30d': 'd30', '365d': 'd365' } as const
const VIEWS = ['aside', 'history', 'figures', 'rules'] as const

/** @param keys shows the list of shortcuts. */
export function actions(keys: () => void): Action[] {
  const next = themes[(themes.indexOf(look.theme) + 1) % themes.length]!
  return [
    { key: 'hold', name: t(range.value.end === null ? 'hold' : 'follow'), run: () => range.toggle(Date.now()) },
    ...presets.map((one) => ({
      key: one,
      name: `${t('range')}: ${t(SPANS[one])}`,
      run: () => range.choose({ span: parseRange(one).span, end: range.value.end }),
    })),
    ...VIEWS.map((view) => ({
      key: view,
      name: `${t('alarms')}: ${t(view)}`,
      run: () => router.go({ page: 'alarms', options: { view } }),
    })),
    ...(session.may('alarm-rules.manage')
      ? [
          {
            key: 'rule',
            name: t('ruleNew'),
            run: () => router.go({ page: 'alarms', options: { view: 'rules', rule: '+' } }),
          },
        ]
      : []),
    ...(session.may('dashboards.manage')
      ? [
          {
            key: 'board',
            name: t('boardNew'),
            run: () => router.go({ page: 'boards', item: 'new', options: { edit: '1' } }),
          },
        ]
      : []),
    { key: 'kiosk', name: t('kiosk'), run: () => router.set({ kiosk: '1' }, true) },
    { key: 'theme', name: `${t('theme')}: ${t(next)}`, run: () => look.choose({ theme: next }) },
    {
      key: 'language',
      name: look.language === 'vi' ? 'English' : 'Tiếng Việt',
      run: () => look.choose({ language: look.language === 'vi' ? 'en' : 'vi' }),
    },
    { key: 'keys', name: t('keys'), run: keys },
    { key: 'out', name: t('signOut'), run: () => void signOut() },
  ]
}
