/** One dashboard on the screen: as the server has it, an old version of it, or the draft that is being composed. */
import { untrack } from 'svelte'
import { panels } from '../../../panels/registry'
import { Away, Problem } from '../../data/api'
import { Poll } from '../../data/poll.svelte'
import { router } from '../../shell/router.svelte'
import { t } from '../../words'
import { type Draft, begin, forget, fresh, keep, kept, redo, step, undo } from './draft'
import { type Step, room, settle, stepped } from './layout'
import { notice } from './notice.svelte'
import {
  type Definition,
  type Item,
  type Labels,
  type Version,
  type Whole,
  add,
  get,
  put,
  remove,
  restore,
  version,
} from './store'

const EMPTY: Definition = { labels: { vi: '', en: '' }, panels: [] }

export class Composer {
  readonly poll: Poll<Whole>
  readonly fresh: boolean
  draft = $state.raw<Draft | null>(null)
  /** The panel whose settings are shown. */
  chosen = $state<string | null>(null)
  /** What the server said of a save that came second. */
  clash = $state<string | null>(null)
  saving = $state(false)
  /** A draft of an earlier visit was found. */
  found = $state(false)
  seen = $state.raw<Version | null>(null)
  #last = ''

  readonly whole: Whole | null = $derived.by(() => this.poll.value)
  readonly editing = $derived.by(() => router.option('edit') === '1' && (this.fresh || this.whole?.manageable === true))
  readonly shown: Definition | null = $derived.by(
    () => (this.editing ? this.draft?.now : this.seen?.definition) ?? this.whole?.definition ?? null,
  )
  readonly dirty = $derived.by(
    () => this.draft !== null && JSON.stringify(this.draft.now) !== JSON.stringify(this.whole?.definition ?? EMPTY),
  )

  constructor(readonly id: string) {
    this.fresh = id === 'new'
    // Asked again twice a minute: a wall shows what somebody saved at a desk.
    this.poll = new Poll((signal) => get(id, signal), 30_000)
    $effect(() => (this.fresh ? undefined : this.poll.start()))
    $effect(() => {
      const ready = this.editing && (this.fresh || this.whole !== null)
      untrack(() => {
        if (!this.editing) this.draft = this.chosen = null
        else if (ready && !this.draft) this.#begin()
      })
    })
    $effect(() => {
      const wanted = Number(router.option('v'))
      untrack(() => (this.seen = null))
      if (!wanted || this.editing) return
      let gone = false
      version(id, wanted).then(
        (one) => gone || (this.seen = one),
        () => gone || router.set({ v: '' }),
      )
      return () => (gone = true)
    })
  }

  #begin(): void {
    const before = kept(this.id)
    const stands = this.whole?.definition ?? EMPTY
    this.found = before !== null && JSON.stringify(before.definition) !== JSON.stringify(stands)
    this.draft =
      this.found && before ? begin(before.definition, before.version) : begin(stands, this.whole?.version ?? 0)
  }

  /** `kind`: changes of one kind in a row are one step back. */
  change(next: Definition, kind = ''): void {
    if (!this.draft) return
    const same = kind !== '' && kind === this.#last
    this.#last = kind
    this.#set(step(this.draft, next, same))
  }

  #set(draft: Draft): void {
    this.draft = draft
    keep(this.id, draft)
    if (this.chosen && !draft.now.panels.some((one) => one.id === this.chosen)) this.chosen = null
  }

  undo = () => this.draft && ((this.#last = ''), this.#set(undo(this.draft)))
  redo = () => this.draft && ((this.#last = ''), this.#set(redo(this.draft)))

  name(labels: Partial<Labels>): void {
    if (this.draft) this.change({ ...this.draft.now, labels: { ...this.draft.now.labels, ...labels } }, 'name')
  }

  layout(items: Item[], same: boolean): void {
    if (!this.draft) return
    if (!same) this.#last = ''
    this.change({ ...this.draft.now, panels: items }, 'drag')
  }

  /** A step of one panel by a key or a button; `column`: they stand one below the other. */
  step(id: string, step: Step, column: boolean): void {
    const items = this.draft?.now.panels ?? []
    const least = panels.get(items.find((one) => one.id === id)?.panel ?? '')?.panel.least
    this.layout(stepped(items, id, step, least, column), false)
  }

  item(item: Item, field: string): void {
    if (!this.draft) return
    const items = this.draft.now.panels.map((one) => (one.id === item.id ? item : one))
    this.change({ ...this.draft.now, panels: items }, `${item.id} ${field}`)
  }

  add(panel: string): void {
    const known = panels.get(panel)
    if (!known || !this.draft) return
    const { w, h } = known.panel.size
    const id = fresh(this.draft.now, panel)
    const item: Item = { id, panel, title: '', settings: {}, w, h, ...room(this.draft.now.panels, w, h) }
    this.change({ ...this.draft.now, panels: settle([...this.draft.now.panels, item]) })
    this.chosen = id
  }

  duplicate(id: string): void {
    const one = this.draft?.now.panels.find((item) => item.id === id)
    if (!one || !this.draft) return
    const made = { ...one, id: fresh(this.draft.now, one.panel), ...room(this.draft.now.panels, one.w, one.h) }
    this.change({ ...this.draft.now, panels: settle([...this.draft.now.panels, made]) })
    this.chosen = made.id
  }

  remove(id: string, name: string): void {
    if (!this.draft) return
    this.change({ ...this.draft.now, panels: settle(this.draft.now.panels.filter((one) => one.id !== id)) })
    notice.say(t('removed', { name }), { undo: () => this.undo() })
  }

  async save(): Promise<void> {
    if (!this.draft || this.saving) return
    const { now, version } = this.draft
    await this.#guarded(async () => this.#saved(this.fresh ? await add(now) : await put(this.id, version, now)))
  }

  /** After a clash: mine goes on top of theirs. */
  async overwrite(): Promise<void> {
    if (!this.draft) return
    const { now } = this.draft
    this.clash = null
    await this.#guarded(async () => this.#saved(await put(this.id, (await get(this.id)).version, now)))
  }

  /** What is shown as a new dashboard of one's own. */
  async copy(labels: Labels): Promise<void> {
    const from = this.shown
    if (!from) return
    this.clash = null
    await this.#guarded(async () => this.#saved(await add({ ...from, labels })))
  }

  drop(): void {
    const before = this.draft
    forget(this.id)
    this.found = false
    if (!before) return
    const id = this.id
    notice.say(t('discarded'), {
      undo: () => (keep(id, before), router.go({ page: 'boards', item: id, options: { edit: '1' } })),
    })
    this.draft = null
    if (this.fresh) router.go({ page: 'boards' })
    else router.set({ edit: '' })
  }

  async share(shared: boolean): Promise<void> {
    const now = this.whole
    if (now) await this.#guarded(async () => (await put(now.id, now.version, now.definition, shared), this.poll.now()))
  }

  async restore(from: number): Promise<void> {
    const now = this.whole
    if (!now) return
    await this.#guarded(async () => {
      const made = await restore(now.id, now.version, from)
      router.set({ v: '' })
      await this.poll.now()
      notice.say(t('versionRestored', { from, version: made.version }), {
        undo: () => void this.restore(now.version),
      })
    })
  }

  async delete(name: string): Promise<void> {
    const now = this.whole
    if (!now) return
    await this.#guarded(async () => {
      await remove(now.id, now.version)
      const back = async () => {
        await restore(now.id, now.version, now.version)
        notice.say(t('boardBack', { name }))
        router.go({ page: 'boards', item: now.id })
      }
      notice.say(t('boardDeleted', { name }), { undo: () => void back().catch(fail) })
      router.go({ page: 'boards' })
    })
  }

  async #saved(made: Whole): Promise<void> {
    forget(this.id)
    this.found = false
    if (made.id !== this.id) {
      this.draft = null
      router.go({ page: 'boards', item: made.id })
    } else {
      await this.poll.now()
      router.set({ edit: '' })
    }
    notice.say(t('saved', { version: made.version }))
  }

  async #guarded(work: () => Promise<unknown>): Promise<void> {
    this.saving = true
    try {
      await work()
    } catch (error) {
      if (error instanceof Problem && error.status === 409 && this.draft && !this.fresh) this.clash = error.message
      else fail(error)
    } finally {
      this.saving = false
    }
  }
}

function fail(error: unknown): void {
  const detail = error instanceof Problem ? error.message : error instanceof Away ? t('offline') : String(error)
  notice.say(t('saveFailed', { detail: `${detail.replace(/[.]$/, '')}.` }), { bad: true })
}
