import '$ui/base.css'
import { mount } from 'svelte'
import { look } from '$ui/look.svelte'
import App from './App.svelte'

look.start()
mount(App, { target: document.getElementById('page')! })
