import '$ui/base.css'
import { mount } from 'svelte'
import { look } from '$ui/look.svelte'
import App from './App.svelte'

const narrow = matchMedia('(max-width: 760px)')
const density = () =>
  narrow.matches ? 'touch' : new URLSearchParams(location.hash.split('?')[1]).has('kiosk') ? 'wall' : 'desk'
look.start(density)
narrow.addEventListener('change', () => look.fit(density()))
mount(App, { target: document.getElementById('page')! })
