import '$ui/base.css'
import { mount } from 'svelte'
import { look } from '$ui/look.svelte'
import App from './App.svelte'

const narrow = matchMedia('(max-width: 760px)')
const density = () => (narrow.matches ? 'touch' : 'desk') // a wall's: shell/Kiosk.svelte
look.start(density)
narrow.addEventListener('change', () => look.fit(density()))
mount(App, { target: document.getElementById('page')! })
