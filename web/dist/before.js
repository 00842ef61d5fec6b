// Before anything is painted: the theme and the language that were chosen here.
const theme = localStorage.getItem('theme')
if (theme) document.documentElement.dataset.theme = theme
const language = localStorage.getItem('language') || navigator.language
document.documentElement.lang = language.toLowerCase().startsWith('fr') ? 'fr' : 'en'
