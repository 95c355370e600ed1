import '$ui/base.css'
import './opening.css'
import { mount } from 'svelte'
import { look } from '$ui/look.svelte'
import App from './App.svelte'

look.start()
const target = document.getElementById('page')!
target.replaceChildren()
mount(App, { target })
