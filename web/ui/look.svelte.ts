/** Language, theme and density of this browser: one reactive object, written to <html>, kept between visits. */
import { type Language, languages } from './dictionary'

export type Theme = 'dark' | 'light' | 'contrast'
export type Density = 'wall' | 'desk' | 'touch'
export const themes: readonly Theme[] = ['light', 'dark', 'contrast']

/** Where a choice is kept: the same places as of the pages without a build, so that one choice holds for all of them. */
const KEYS = { language: 'tram.lang', theme: 'tram.theme' } as const

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null // storage may be forbidden: the defaults serve
  }
}

function choice<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value)
}

/** What the address asks for, then what was chosen before, then what the machine prefers. */
function initial(): { language: Language; theme: Theme } {
  const asked = new URLSearchParams(location.search)
  const preferred: Theme = matchMedia('(prefers-contrast: more)').matches
    ? 'contrast'
    : matchMedia('(prefers-color-scheme: dark)').matches
      ? 'dark'
      : 'light'
  return {
    language: choice(asked.get('lang'), languages) ?? choice(kept(KEYS.language), languages) ?? 'vi',
    theme: choice(asked.get('theme'), themes) ?? choice(kept(KEYS.theme), themes) ?? preferred,
  }
}

class Look {
  language = $state<Language>('vi')
  theme = $state<Theme>('light')
  density = $state<Density>('desk')
  /** How much larger than at a desk everything is (--scale): for what is drawn or counted in px. */
  scale = $state(1)

  /** Read the choices and keep <html> in step with them. Call once, from a page's main.ts. */
  start(density: Density | (() => Density) = 'desk'): void {
    const first = initial()
    this.language = first.language
    this.theme = first.theme
    this.density = typeof density === 'function' ? density() : density
    this.#write()
    addEventListener('resize', () => this.#measure())
  }

  /** The density follows the screen and the role; it is no choice to be kept. */
  fit(density: Density): void {
    this.density = density
    this.#write()
  }

  choose(change: Partial<{ language: Language; theme: Theme }>): void {
    Object.assign(this, change)
    this.#write()
    try {
      localStorage.setItem(KEYS.language, this.language)
      localStorage.setItem(KEYS.theme, this.theme)
    } catch {
      // The choice then lasts for this page only.
    }
  }

  #measure(): void {
    this.scale = Number(getComputedStyle(document.documentElement).getPropertyValue('--scale')) || 1
  }

  #write(): void {
    const html = document.documentElement
    html.lang = this.language
    html.dataset.theme = this.theme
    html.dataset.density = this.density
    this.#measure()
  }
}

export const look = new Look()
