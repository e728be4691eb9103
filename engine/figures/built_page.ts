/**
 * The live page as one text. It is built from the files beside it by `deno task page`: do not edit it.
 *
 * @module
 */

/** The page. {{nonce}} stands wherever the nonce of an answer's Content-Security-Policy goes. */
export const LIVE_PAGE: string = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>Handshake, live</title>
    <style nonce="{{nonce}}">
    :root {
  color-scheme: light dark;
}

* {
  box-sizing: border-box;
}

body {
  margin: 0 auto;
  max-width: 84rem;
  padding: 1.5rem 1.25rem 3rem;
  background: light-dark(#eef1f5, #0e1116);
  color: var(--figure-text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}

[hidden] {
  display: none !important;
}

h1,
h2,
h3,
p,
dl,
dd,
figure {
  margin: 0;
}

h1 {
  font-size: 1.6rem;
  line-height: 1.2;
  letter-spacing: -0.015em;
  overflow-wrap: anywhere;
}

h2 {
  font-size: 1.0625rem;
  letter-spacing: -0.005em;
}

header {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 0.5rem 1.5rem;
  margin-bottom: 1.25rem;
}

.faint {
  color: var(--figure-faint);
  font-size: 0.9rem;
  overflow-wrap: anywhere;
}

main {
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: 1rem;
}

#state {
  padding: 0.3rem 0.9rem;
  border: 1px solid var(--figure-line);
  border-radius: 2rem;
  background: var(--figure-ground);
  font-size: 0.9rem;
}

#state::before {
  content: "";
  display: inline-block;
  width: 0.6em;
  height: 0.6em;
  margin-right: 0.5em;
  border-radius: 50%;
  background: var(--figure-faint);
}

#state[data-state="live"]::before {
  background: var(--figure-computing);
}

#state[data-state="silent"]::before,
#state[data-state="lost"]::before {
  background: var(--figure-rst);
}

#actions,
#counted,
.chart {
  padding: 1rem;
  border: 1px solid var(--figure-line);
  border-radius: 14px;
  background: var(--figure-ground);
}

#buttons {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5rem;
  margin-top: 0.6rem;
}

button {
  min-height: 2.5rem;
  border: 1px solid var(--figure-line);
  border-radius: 8px;
  background: var(--figure-box);
  color: inherit;
  padding: 0.3rem 0.9rem;
  font: inherit;
  font-size: 0.9375rem;
  cursor: pointer;
}

button:hover:not(:disabled) {
  border-color: var(--figure-accent);
}

button:disabled {
  color: var(--figure-faint);
  cursor: default;
}

:focus-visible {
  outline: 2px solid var(--figure-accent);
  outline-offset: 2px;
}

#answer {
  min-height: 1.5em;
  margin-top: 0.5rem;
}

#charts {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr));
  gap: 1rem;
}

.chart {
  color: var(--figure-accent);
}

.chart h3 {
  color: var(--figure-faint);
  font-size: 0.875rem;
  font-weight: 600;
}

.chart .value {
  color: var(--figure-text);
  font-size: 1.0625rem;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
}

.plot {
  position: relative;
  margin-top: 0.5rem;
}

.plot canvas {
  display: block;
  width: 100%;
  height: 72px;
  border: 0 solid var(--figure-line);
}

.plot .top {
  position: absolute;
  top: 2px;
  left: 0;
  padding: 0 0.3em 0 0;
  color: var(--figure-faint);
  font-size: 0.75rem;
  line-height: 1.3;
}

#counters {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
  gap: 0.6rem 1rem;
  margin-top: 0.6rem;
}

#counters dt {
  color: var(--figure-faint);
  font-size: 0.8125rem;
}

#counters dd {
  font-size: 1.125rem;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}

@media (max-width: 480px) {
  body {
    padding: 1rem 0.75rem 2rem;
  }
}

    </style>
  </head>
  <body>
    <header>
      <div>
        <h1 id="name">Handshake</h1>
        <p id="about" class="faint">live view of a running server</p>
      </div>
      <p id="state" role="status">connecting …</p>
    </header>
    <main>
      <noscript><p>This page draws with JavaScript. Without it, <code>curl -N</code> on
<code>events</code> beside this page shows the same as text.</p></noscript>
      <section id="actions" aria-labelledby="actions-title" hidden>
        <h2 id="actions-title">Do something real</h2>
        <div id="buttons"></div>
        <p id="answer" class="faint" role="status"></p>
      </section>
      <model-figure id="figure" data-title="Who is where"></model-figure>
      <section id="charts" aria-label="The last minute"></section>
      <section id="counted" aria-labelledby="counted-title">
        <h2 id="counted-title">What the server counts</h2>
        <dl id="counters"></dl>
      </section>
    </main>
    <script nonce="{{nonce}}">
    "use strict";(()=>{var vt=[["µs",1],["ms",1e3],["s",1e6]],Re=[["",1],["k",1e3],["M",1e6],["G",1e9]],xt=[["B",1],["KiB",2**10],["MiB",2**20],["GiB",2**30],["TiB",2**40]],Pe="–",pe=3;function v(r){return Q(r,vt)}var $e=[["min",60],["h",3600]];function Ne(r){if(ge(r))return Pe;if(r>0&&r<1){let[t,n]=$e.find(([,s])=>r*s>=1)??$e[1],o=r*n,i=Math.round(o);return\`\${Math.abs(o-i)<.001&&i>0?i:He(o)} /\${t}\`}let e=Q(r,Re);return e.includes(" ")?\`\${e}/s\`:\`\${e} /s\`}function x(r){return Q(r,Re)}function De(r){return Q(ge(r)?r:Math.round(r),xt)}function Ae(r){return r===0||r===1?\`\${r*100} %\`:r<1e-4?"under 0.01 %":r<.1?\`\${(r*100).toFixed(2)} %\`:r>.99&&r<1?\`\${(Math.floor(r*1e4)/100).toFixed(2)} %\`:\`\${Math.round(r*100)} %\`}function ge(r){return r===null||Number.isNaN(r)}function Q(r,e){if(ge(r))return Pe;for(let[t,[n,o]]of e.entries()){let i=o===1&&Number.isInteger(r)?String(r):He(r/o),[,s]=e[t+1]??[];if(!(s!==void 0&&Number(i)*o>=s))return n===""?i:\`\${i} \${n}\`}return String(r)}function He(r){let e=r<1?1:Math.floor(Math.log10(r))+1,t=r.toFixed(Math.max(0,pe-e));return Number(t)>=10**e&&e<pe?r.toFixed(pe-e-1):t}var E=[{look:"accept",shape:"ring",words:"waits in the accept queue"},{look:"queue",shape:"ring",words:"waits for a thread"},{look:"reading",shape:"ring",words:"its peer is to send"},{look:"computing",shape:"disc",words:"computing"},{look:"writing",shape:"disc",words:"its peer is to take what was sent"},{look:"awaiting",shape:"ring",words:"another thread computes for it"},{look:"held",shape:"ring",words:"its loop computes for another"},{look:"closing",shape:"ring",words:"its conversation is over"},{look:"fin",shape:"ring",words:"ended with FIN"},{look:"rst",shape:"cross",words:"ended with RST"},{look:"ended",shape:"ring",words:"ended, not known how"}],_e=new Map(E.map(({look:r,shape:e})=>[r,e]));function I({place:r,doing:e,ending:t}){switch(r){case"accept queue":return"accept";case"hand-over queue":case"taken":return"queue";case"thread":return kt[e];case"closing":return"closing";case"ended":return t==="FIN"?"fin":t==="RST"?"rst":"ended"}}var kt={waiting:"queue",reading:"reading",computing:"computing",writing:"writing","waiting for computing":"awaiting","waiting for the loop":"held"},Tt={ground:["#ffffff","#171b22"],box:["#f5f7fa","#1f252e"],well:["#ffffff","#161b22"],line:["#d9dfe8","#353e4b"],text:["#1a2230","#e8ecf2"],faint:["#566174","#a3afc0"],accent:["#2458c5","#8db4ff"],accept:["#c74e00","#ff9257"],queue:["#a06a00","#f2bd4b"],reading:["#66758c","#93a3b8"],computing:["#00795a","#35d6a6"],writing:["#0067a5","#62bcff"],awaiting:["#9a3f84","#e59acd"],held:["#c74e00","#ff9257"],closing:["#66758c","#93a3b8"],fin:["#66758c","#93a3b8"],rst:["#b8123a","#ff8095"],ended:["#66758c","#93a3b8"]},L=\`:host, :root {
\${Object.entries(Tt).map(([r,[e,t]])=>\`  --figure-\${r}: light-dark(\${e}, \${t});\`).join(\`
\`)}
}
\${E.map(({look:r})=>\`.of-\${r} { color: var(--figure-\${r}); }\`).join(\`
\`)}
\`;var W=globalThis.HTMLElement??class{};function h(r,e={}){let t=document.createElement(r);e.class!==void 0&&(t.className=e.class),e.text!==void 0&&(t.textContent=e.text);for(let[n,o]of Object.entries(e.attributes??{}))t.setAttribute(n,o);return t.append(...e.children??[]),t}function b(r,e){r.textContent!==e&&(r.textContent=e)}var Ve=new Map;function $(r,...e){r.adoptedStyleSheets=e.map(t=>{let n=Ve.get(t);if(n!==void 0)return n;let o=new CSSStyleSheet;return o.replaceSync(t),Ve.set(t,o),o})}function K(r,e){globalThis.customElements===void 0||customElements.get(r)!==void 0||customElements.define(r,e)}function z(r){return(r??"").split("|").map(e=>e.trim()).filter(e=>e!=="")}function ye(){return matchMedia("(prefers-reduced-motion: reduce)").matches}var Fe=6e7,Et=[[],[5,3]],be=72,U=class{root;#t;#e;#i;#n;constructor(e){this.#t=e,this.#e=h("p",{class:"value",text:"–"}),this.#i=h("span",{class:"top"}),this.#n=h("canvas",{attributes:{"aria-hidden":"true"}}),this.root=h("figure",{class:"chart",children:[h("figcaption",{children:[h("h3",{text:e.title}),this.#e]}),h("div",{class:"plot",children:[this.#n,this.#i]})]})}show(e,t){let{series:n,format:o,least:i,unit:s=1}=this.#t,a=e.filter(({at:f})=>f>t-Fe&&f<=t),d=a.at(-1),u=n.map(({name:f,of:p})=>{let m=d===void 0?void 0:p(d),w=m===void 0?"not known":o(m);return f===""?w:\`\${f} \${w}\`});b(this.#e,u.join(" · "));let l=a.flatMap(f=>n.map(({of:p})=>p(f)??0)),c=Mt(Math.max(i,...l)/s)*s;b(this.#i,o(c)),this.#o(a,t,c)}#o(e,t,n){let{width:o}=this.#n.getBoundingClientRect(),i=Math.min(2,devicePixelRatio),[s,a]=[Math.round(o*i),Math.round(be*i)];(this.#n.width!==s||this.#n.height!==a)&&(this.#n.width=s,this.#n.height=a);let d=this.#n.getContext("2d");if(d===null)return;let u=getComputedStyle(this.#n);d.setTransform(i,0,0,i,0,0),d.clearRect(0,0,o,be);let l=f=>(1-(t-f)/Fe)*o,c=f=>1+(1-f/n)*(be-2);d.strokeStyle=u.borderBottomColor,d.lineWidth=1;for(let f of[0,1])d.beginPath(),d.moveTo(0,c(f*n)),d.lineTo(o,c(f*n)),d.stroke();d.strokeStyle=u.color,d.lineWidth=1.75,d.lineJoin="round";for(let[f,{of:p}]of this.#t.series.entries()){d.setLineDash([...Et[f]??[]]),d.beginPath();let m=!1;for(let w of e){let g=p(w);if(g===void 0){m=!1;continue}m?d.lineTo(l(w.at),c(g)):d.moveTo(l(w.at),c(g)),m=!0}d.stroke()}d.setLineDash([])}};function Mt(r){let e=10**Math.floor(Math.log10(r));return([1,2,5,10].find(t=>t*e>=r)??10)*e}var Lt={recording:["version","began_us"],thread:["at","thread"],begun:["at","connection"],queued:["at","to","connection"],served:["at","thread","connection"],over:["at","connection"],span:["at","to"]};function G(r){let e=[],t=0;for(let n of r.split(\`
\`)){if(n.trim()==="")continue;let o=Ut(n);o===void 0?t++:e.push(o)}return{lines:e,damaged:t}}function Ut(r){let e;try{e=JSON.parse(r)}catch{return}if(typeof e!="object"||e===null)return;let t=e;if(!(typeof t.type!="string"||!(Lt[t.type]??["at"]).every(o=>Number.isFinite(t[o])))&&!(t.type==="recording"&&t.version!==1))return e}function Y(r){let e=t=>t.type==="recording"?-1:t.at;return r.toSorted((t,n)=>e(t)-e(n))}var R=class{#t;async load(e,t,n){this.stop();let{signal:o}=this.#t=new AbortController;try{let i=await fetch(e,{signal:o});if(!i.ok)throw new Error(\`the answer is \${i.status}\`);let{lines:s}=G(await i.text());if(s.length===0)throw new Error("it is not a recording");t(s)}catch(i){if(o.aborted)return;n(\`Cannot show \${e}: \${i instanceof Error?i.message:String(i)}\`)}}stop(){this.#t?.abort()}};var Ot=1e3,Ct=3e4,It=300,$t=5e3,Rt=1e3,j=class{#t;#e;#i;#n;#o=0;#s=0;constructor(e){this.#t=e,this.#a(),setInterval(()=>this.#u(),Rt),document.addEventListener("visibilitychange",()=>{document.hidden||this.#i===void 0||(this.#o=0,this.#a())})}#r(e,t,n){this.#n=e,this.#t.state({kind:e,text:t,...n!==void 0&&{page:n}})}#a(){clearTimeout(this.#i),this.#i=void 0;let e=this.#e=new EventSource("events");e.addEventListener("message",({data:t})=>this.#d(String(t))),e.addEventListener("error",()=>{e.close(),e===this.#e&&this.#l()})}#d(e){let{lines:t}=G(e);this.#s=performance.now(),this.#o=0,t.some(({type:o})=>o==="recording")&&this.#t.begins(),this.#n!=="live"&&this.#r("live","live"),this.#t.lines(t);let n=t.find(o=>o.type==="end");n!==void 0&&this.#h(n)}#h({successor:e,page:t}){if(this.#e?.close(),this.#e=void 0,e===void 0)return this.#r("ended","The server has ended. This is its last picture.");let n=\`Process \${e} serves now\`;if(t===void 0)return this.#r("ended",\`\${n}, and has no page. This is the last picture.\`);if(!(URL.canParse(t)&&new URL(t).pathname===location.pathname))return this.#r("ended",\`\${n}. This is the last picture.\`,t);this.#r("lost",\`\${n}: connecting to it …\`),this.#i=setTimeout(()=>this.#a(),It)}async#l(){this.#e=void 0,this.#n!=="lost"&&this.#r("lost","The server does not answer …");let e=0;try{({status:e}=await fetch("events",{method:"HEAD"}))}catch{}if(e===404||e===421)return this.#r("ended","Another server is here now. It has printed the address of its own page. This is the last picture of the one before.");let t=Math.min(Ct,Ot*2**this.#o++),n=x(Math.round(t/1e3)),o=e===0?"The server does not answer. This is its last picture":e===503?"Too many read along, and the server tells nobody else":"The link to the server has broken. This is its last picture";this.#r("lost",\`\${o}; trying again in \${n} s.\`),this.#i=setTimeout(()=>this.#a(),t)}#u(){this.#e===void 0||this.#n!=="live"||performance.now()-this.#s<$t||this.#r("silent","The server says nothing. Perhaps its process is stopped.")}};var we={computing:"the server computes for it",accept:"waits to be accepted",queue:"waits in the server's queue, or for its thread to start",thread:"waits for a thread that is busy with another client",talk:"talks"};function ve(r){let e=new Map,t=new Map,n=r.at(-1)?.at??0;for(let o of r)if(o.type==="socket"&&o.waiting===!0)e.has(o.remote)||e.set(o.remote,o.at);else if(o.type==="begun"){let{connection:i,peer:s,at:a}=o;t.set(i,{peer:s,fromUs:e.get(s)??a,toUs:n}),e.delete(s)}else if(o.type==="over"){let i=t.get(o.connection);i!==void 0&&(i.toUs=o.at)}return[...t.values()].sort((o,i)=>o.fromUs-i.fromUs)}var Pt=["computing","queue","accept","thread"],Nt=["queue","accept","thread"],Dt=1e3;function xe(r,e){let t=e.map(n=>At(r,n));return e.map((n,o)=>{let i=t[o],a=t.filter(m=>m!==i).filter(({thread:m})=>m===i.thread),d={accept:[[n.fromUs,i.begunUs]],queue:[[i.begunUs,i.servedUs]],thread:[...a.flatMap(({busy:m})=>m),...i.awaiting],computing:i.computing,talk:[]},u=Ht(n,d),l=u.filter(({doing:m})=>Nt.includes(m)),c=t.map(m=>{if(m===i)return 0;let w=a.includes(m)?m.holds:[],g=i.awaiting.flatMap(T=>qe(T,m.computing)),y=[...w,...g];return _t(l.flatMap(({fromUs:T,toUs:B})=>qe([T,B],y)))}),f=Math.max(...c),p=f>=Dt;return{stretches:u,waitedUs:p?f:0,waitedFor:p?c.indexOf(f):void 0}})}function At(r,e){let t=r.find(m=>m.type==="begun"&&m.peer===e.peer),n=t?.type==="begun"?t.connection:void 0,o=r.filter(m=>"connection"in m&&m.connection===n),i=o.find(m=>m.type==="served"),s=o.find(m=>m.type==="over"),a=i?.type==="served"?i.thread:void 0,d=o.filter(m=>m.type==="span"),u=m=>d.filter(w=>w.name===m).map(({at:w,to:g})=>[w,g]),l=r.some(m=>m.type==="thread"&&m.thread===a&&m.loop===!0),c=t?.at??e.toUs,f=i?.at??c,p=l?u("turn"):[];return{begunUs:c,servedUs:f,thread:a,computing:u("computing"),awaiting:u("waiting for computing"),busy:p,holds:l?p:[[f,s?.at??e.toUs]]}}function Ht({fromUs:r,toUs:e},t){let n=Object.values(t).flat(2).filter(s=>s>r&&s<e),o=[...new Set([r,...n,e])].sort((s,a)=>s-a),i=[];for(let s=1;s<o.length;s++){let[a,d]=[o[s-1],o[s]],u=(a+d)/2,l=Pt.find(f=>t[f].some(([p,m])=>p<=u&&u<m))??"talk",c=i.at(-1);c?.doing===l?i[i.length-1]={...c,toUs:d}:i.push({doing:l,fromUs:a,toUs:d})}return i}function qe([r,e],t){return t.map(([n,o])=>[Math.max(n,r),Math.min(o,e)]).filter(([n,o])=>n<o)}function _t(r){let[e,t]=[0,-1/0];for(let[n,o]of r.toSorted(([i],[s])=>i-s))e+=Math.max(0,o-Math.max(n,t)),t=Math.max(t,o);return e}var X=\`
:host {
  display: block;
  color: var(--figure-text);
  font-size: 0.9375rem;
  line-height: 1.45;
}
:host([hidden]), [hidden] { display: none !important; }
*, *::before, *::after { box-sizing: border-box; }
h2, h3, h4, p, ul, figure { margin: 0; padding: 0; }
h2 { font-size: 1.0625em; font-weight: 650; letter-spacing: -0.005em; }
h3 { font-size: 0.875em; font-weight: 650; }
h4 { font-size: 0.8125em; font-weight: 600; }
.frame {
  border: 1px solid var(--figure-line);
  border-radius: 14px;
  background: var(--figure-ground);
  padding: 1rem;
}
.head {
  display: flex;
  flex-wrap: wrap;
  justify-content: space-between;
  align-items: baseline;
  gap: 0.1rem 1rem;
  margin-bottom: 0.75rem;
}
.sub, .who, .others, .what, .note { color: var(--figure-faint); font-size: 0.8125em; }
.controls {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.5rem;
  margin-top: 0.75rem;
}
button, select, input {
  font: inherit;
  color: inherit;
}
button, select, input[type="number"] {
  min-height: 2.25rem;
  border: 1px solid var(--figure-line);
  border-radius: 8px;
  background: var(--figure-box);
  padding: 0.2rem 0.7rem;
}
button { cursor: pointer; white-space: nowrap; }
button:hover:not(:disabled) { border-color: var(--figure-accent); }
button:disabled { color: var(--figure-faint); cursor: default; }
button.main {
  border-color: var(--figure-accent);
  background: var(--figure-accent);
  color: var(--figure-ground);
  font-weight: 600;
  min-width: 5.5rem;
}
button.small { min-width: 2.25rem; padding: 0.2rem; }
td button.small { min-height: 1.5rem; padding: 0 0.4rem; }
:focus-visible { outline: 2px solid var(--figure-accent); outline-offset: 2px; }
input[type="range"] { accent-color: var(--figure-accent); min-width: 0; height: 2.25rem; margin: 0; }
input[type="number"] { width: 7rem; }
label { display: inline-flex; align-items: center; gap: 0.4rem; }
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 0.15rem 1rem;
  margin-top: 0.75rem;
  list-style: none;
  font-size: 0.8125em;
  color: var(--figure-faint);
}
.legend li { display: inline-flex; align-items: center; gap: 0.4rem; }
.legend .words { color: var(--figure-faint); }
details { margin-top: 0.75rem; font-size: 0.875em; }
summary { cursor: pointer; color: var(--figure-faint); padding: 0.25rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--figure-faint); padding: 0.25rem 0; }
th, td {
  text-align: left;
  vertical-align: top;
  padding: 0.3rem 0.75rem 0.3rem 0;
  border-bottom: 1px solid var(--figure-line);
  overflow-wrap: anywhere;
}
th { font-weight: 600; }
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
\`,Be=\`
.sign {
  flex: none;
  display: inline-block;
  width: 12px;
  height: 12px;
  border: 3px solid currentColor;
  border-radius: 50%;
}
.sign.disc { background: currentColor; }
.sign.cross {
  border: 0;
  border-radius: 0;
  background:
    linear-gradient(45deg, transparent 42%, currentColor 42% 58%, transparent 58%),
    linear-gradient(-45deg, transparent 42%, currentColor 42% 58%, transparent 58%);
}
\`,Qe=\`
.stage { position: relative; container-type: inline-size; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; cursor: pointer; }
.partial canvas { opacity: 0.25; }
.flow { display: grid; gap: 0.6rem; grid-template-columns: minmax(0, 1fr); }
.flow.with-handover { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.flow > .threads, .flow > .ends { grid-column: 1 / -1; }
.box {
  display: flex;
  flex-direction: column;
  min-width: 0;
  border-radius: 10px;
  background: var(--figure-box);
  padding: 0.6rem 0.7rem;
}
.well { flex: 1; min-height: 3.25rem; margin-top: 0.4rem; }
.count { font-variant-numeric: tabular-nums; font-weight: 600; font-size: 0.9375em; }
.accept .count, .handover .count { font-size: 1.25em; line-height: 1.3; }
.whom { min-height: 1.45em; }
.accept > :not(.well), .handover > :not(.well) { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.dense .whom, .end .whom { display: none; }
.gauge {
  height: 4px;
  margin-top: 0.3rem;
  border-radius: 2px;
  background: var(--figure-line);
  overflow: hidden;
}
.gauge .fill { height: 100%; width: 0; background: var(--figure-accept); }
.cards {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 10.5rem), 1fr));
  gap: 0.5rem;
  margin-top: 0.4rem;
  align-content: start;
}
.cards.one { grid-template-columns: minmax(0, 1fr); }
.card {
  display: flex;
  flex-direction: column;
  min-width: 0;
  border: 1px solid var(--figure-line);
  border-left: 4px solid var(--figure-line);
  border-radius: 8px;
  background: var(--figure-well);
  padding: 0.4rem 0.55rem;
}
.card .what { min-height: 2.9em; max-height: 2.9em; overflow: hidden; overflow-wrap: anywhere; }
.cards.one .card .what { min-height: 1.45em; }
.card .well { min-height: 2.25rem; margin-top: 0.2rem; }
.card.loop { grid-row: span 3; }
.card.loop .well { min-height: 12rem; }
.cards.one .card.loop .well { min-height: 17rem; }
.card[data-state="computing"] { border-left-color: var(--figure-computing); }
.card[data-state="computing"] .what { color: var(--figure-computing); font-weight: 600; }
.card[data-state="writing"] { border-left-color: var(--figure-writing); }
.card[data-state="reading"] { border-left-color: var(--figure-reading); }
.dense { grid-column: 1 / -1; padding: 0; background: none; }
.dense .well { min-height: 12rem; }
.others { margin-top: 0.5rem; }
.ends { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 0.6rem; }
.ends .box { padding: 0.5rem 0.6rem; }
.ends .well { min-height: 2.25rem; }
.end .who { min-height: 0; }
.end.rst .count { color: var(--figure-rst); }
@container (min-width: 720px) {
  .flow { grid-template-columns: 8.5rem minmax(0, 1fr) 7.5rem; }
  .flow.with-handover { grid-template-columns: 8.5rem 8.5rem minmax(0, 1fr) 7.5rem; }
  .flow > .threads, .flow > .ends { grid-column: auto; }
  .flow > .accept .well, .flow > .handover .well { min-height: 13rem; }
  .ends { grid-auto-flow: row; grid-auto-rows: 1fr; }
}
\`,We=\`
.time { display: flex; flex: 1 1 12rem; align-items: center; gap: 0.6rem; min-width: 0; }
.time input { flex: 1; }
.time output {
  min-width: 9.5em;
  text-align: right;
  font-variant-numeric: tabular-nums;
  font-size: 0.875em;
  color: var(--figure-faint);
}
.speed { display: inline-flex; align-items: center; gap: 0.3rem; font-variant-numeric: tabular-nums; }
.speed output { min-width: 3.6em; text-align: center; }
.now { min-height: 1.5em; margin-top: 0.6rem; font-size: 0.9375em; overflow-wrap: anywhere; }
.followed {
  margin-top: 0.75rem;
  border-left: 4px solid var(--figure-accent);
  padding: 0.2rem 0 0.2rem 0.75rem;
  font-size: 0.875em;
}
.followed ol {
  position: relative;
  margin: 0.3rem 0 0;
  padding: 0;
  list-style: none;
  max-height: 20rem;
  overflow: auto;
  background:
    linear-gradient(var(--figure-ground), var(--figure-ground)) top / 100% 8px local no-repeat,
    linear-gradient(var(--figure-ground), var(--figure-ground)) bottom / 100% 8px local no-repeat,
    linear-gradient(var(--figure-line), transparent) top / 100% 8px no-repeat,
    linear-gradient(transparent, var(--figure-line)) bottom / 100% 8px no-repeat;
}
.followed li { display: flex; gap: 0.75rem; padding: 0.1rem 0; color: var(--figure-faint); }
.followed li.past { color: inherit; }
.followed time { flex: none; min-width: 6.5em; text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 480px) {
  .frame { padding: 0.75rem; border-radius: 12px; }
  .time { flex-basis: 100%; }
  .time output { min-width: 0; }
}
\`;var J=class extends W{static observedAttributes=["src","data-title","names"];#t=[];#e=[];#i;#n;#o=new R;get lines(){return this.#t}set lines(e){this.#t=e,this.draw()}get names(){return this.#e}set names(e){this.#e=e,this.draw()}connectedCallback(){this.#n===void 0&&this.#s(),this.draw()}disconnectedCallback(){this.#o.stop()}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#o.load(n,o=>this.lines=o,o=>this.#n?.replaceChildren(h("p",{class:"note",text:o}))),e==="names"&&(this.names=z(n)),e==="data-title"&&this.draw()}draw(){if(this.#n===void 0||this.#i===void 0)return;let e=this.getAttribute("data-title")??"";b(this.#i,e),this.#i.parentElement.hidden=e==="",this.drawIn(this.#n)}#s(){let{style:e,label:t,bodyClass:n,legend:o}=this.frame,i=this.attachShadow({mode:"open"});$(i,L,X,e),this.#i=h("h2"),this.#n=h("div",n===void 0?{}:{class:n});let s=h("div",{class:"head",children:[this.#i]});i.append(h("div",{class:"frame",attributes:{role:"group","aria-label":t},children:[s,this.#n,...o===void 0?[]:[o()]]}))}};var Vt=24,Ft=5,Ke={accept:"accept",queue:"queue",thread:"held",computing:"computing",talk:"reading"},qt=\`
.rows { list-style: none; display: grid; gap: 0.7rem; }
.client { display: grid; grid-template-columns: minmax(5.5rem, 9rem) minmax(0, 1fr) 5rem; gap: 0 0.75rem; align-items: center; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.length { text-align: right; font-variant-numeric: tabular-nums; }
.waited { grid-column: 2 / -1; color: var(--figure-faint); font-size: 0.8125em; min-height: 1.45em; }
.bar { position: relative; height: 1.25rem; border-radius: 4px; background: var(--figure-box); overflow: hidden; }
.part { position: absolute; inset-block: 0; min-width: 1px; background: currentColor; }
.part.wait { background: repeating-linear-gradient(-45deg, currentColor 0 4px, transparent 4px 7px); }
.part.talk { inset-block: 40%; }
.told { position: absolute; inset-block: 0; width: 3px; margin-left: -1px; background: var(--figure-text); }
.scale {
  position: relative;
  height: 1.4em;
  margin: 0.3rem 5.75rem 0 0;
  color: var(--figure-faint);
  font-size: 0.75em;
  font-variant-numeric: tabular-nums;
}
.scale span { position: absolute; white-space: nowrap; transform: translateX(-50%); }
.scale span:first-child { transform: none; }
.rows-and-scale { container-type: inline-size; }
.scale { margin-left: calc(min(9rem, max(5.5rem, 9rem)) + 0.75rem); }
.legend .swatch { position: relative; width: 1.5rem; height: 0.8em; border-radius: 2px; overflow: hidden; }
@container (max-width: 480px) {
  .client { grid-template-columns: minmax(0, 1fr) auto; }
  .name { grid-row: 1; }
  .length { grid-row: 1; grid-column: 2; }
  .bar, .waited { grid-column: 1 / -1; }
  .scale { margin-inline: 0; }
}
\`,Z=class extends J{frame={style:qt,label:"Who waited for whom",bodyClass:"rows-and-scale",legend:zt};#t;get visits(){return this.#t}set visits(e){this.#t=e,this.draw()}drawIn(e){let t=Y(this.lines).filter(p=>p.type!=="recording"),n=this.#t??ve(t);if(n.length===0){this.lines.length>0&&e.replaceChildren(h("p",{class:"note",text:"No client has come."}));return}let o=n.slice(0,Vt),i=xe(t,o),s=Math.min(...o.map(({fromUs:p})=>p)),a=Math.max(s+1,...o.map(({toUs:p})=>p)),d=p=>this.names[p]??\`client \${p+1}\`,u=t.find(({type:p})=>p==="closing")?.at??1/0,l=u<a?u:void 0,c=o.map((p,m)=>Bt(p,i[m],{name:d,index:m,fromUs:s,lengthUs:a-s,toldUs:l})),f=[h("ul",{class:"rows",children:c}),Wt(a-s)];if(l!==void 0){let p=\`The upright line is when the server was told to close, after \${v(l-s)}.\`;f.push(h("p",{class:"note",text:p}))}if(n.length>o.length){let p=\`\${n.length-o.length} more clients are not drawn.\`;f.push(h("p",{class:"note",text:p}))}e.replaceChildren(...f)}};function Bt({fromUs:r,toUs:e},t,n){let o=h("span",{class:"told"});o.hidden=n.toldUs===void 0,o.style.left=\`\${((n.toldUs??0)-n.fromUs)/n.lengthUs*100}%\`;let i=h("div",{class:"bar",attributes:{"aria-hidden":"true"},children:[...t.stretches.map(s=>{let a=h("span",{class:ze(s.doing)});return a.style.left=\`\${(s.fromUs-n.fromUs)/n.lengthUs*100}%\`,a.style.width=\`\${(s.toUs-s.fromUs)/n.lengthUs*100}%\`,a.title=\`\${we[s.doing]}: \${v(s.toUs-s.fromUs)}\`,a}),o]});return h("li",{class:"client",children:[h("span",{class:"name",text:n.name(n.index)}),i,h("span",{class:"length",text:v(e-r)}),h("span",{class:"waited",text:Qt(t,n.name)})]})}function Qt({stretches:r,waitedFor:e,waitedUs:t},n){let o=r.reduce((a,{doing:d,fromUs:u,toUs:l})=>a+(d==="computing"?l-u:0),0),i=o>=1?\`the server computed \${v(o)} for it\`:"";return[e===void 0?"waited for nobody":\`waited \${v(t)} for \${n(e)}\`,i].filter(a=>a!=="").join("; ")}function ze(r){return\`part \${r==="computing"?"busy":r==="talk"?"talk":"wait"} of-\${Ke[r]}\`}function Wt(r){let e=r/Ft,t=10**Math.floor(Math.log10(e)),n=[1,2,5,10].map(i=>i*t).find(i=>i>=e)??e,o=[];for(let i=0;i<=r;i+=n){let s=h("span",{text:i===0?"0":Kt(i)});s.style.left=\`\${i/r*100}%\`,o.push(s)}return h("div",{class:"scale",attributes:{"aria-hidden":"true"},children:o})}function Kt(r){return v(r).replace(/\\.0+(?= )/,"").replace(/(\\.\\d*?)0+(?= )/,"$1")}function zt(){return h("ul",{class:"legend",attributes:{"aria-label":"What the bars mean"},children:Object.keys(Ke).map(r=>h("li",{children:[h("span",{class:"swatch",attributes:{"aria-hidden":"true"},children:[Gt(r)]}),h("span",{class:"words",text:we[r]})]}))})}function Gt(r){let e=h("span",{class:ze(r)});return e.style.left="0",e.style.width="100%",e}K("client-timeline",Z);function Ge(){let r=(f,p,m="")=>h("button",{class:m,text:f,attributes:{type:"button",...p!==void 0&&{"aria-label":p,title:p}}}),e=r("Play",void 0,"main"),t=r("Go live"),n=r("−","Slower (-)","small"),o=r("+","Faster (+)","small"),i=h("output",{attributes:{"aria-label":"Speed"}}),s=r("◂ Step","Step back to what happened before (,)"),a=r("Step ▸","Step on to what happens next (.)"),d=h("input",{attributes:{type:"range",min:"0",max:"1000",step:"1","aria-label":"Moment"}}),u=h("output"),l=h("input",{attributes:{type:"number",min:"1",step:"1",inputmode:"numeric",placeholder:"nobody"}});return{root:h("div",{class:"controls",attributes:{role:"group","aria-label":"Playing"},children:[e,t,s,a,h("span",{class:"speed",children:[n,i,o]}),h("span",{class:"time",children:[d,u]}),h("label",{children:[h("span",{text:"Follow #"}),l]})]}),play:e,live:t,slower:n,faster:o,speed:i,back:s,step:a,time:d,moment:u,follow:l}}function Ye(){return h("ul",{class:"legend",attributes:{"aria-label":"What the dots mean"},children:E.filter(({look:r})=>r!=="ended").map(({look:r,shape:e,words:t})=>h("li",{children:[h("span",{class:\`sign \${e} of-\${r}\`,attributes:{"aria-hidden":"true"}}),h("span",{class:"words",text:t})]}))})}function N(r,e,t){let[n,o]=[0,r.length];for(;n<o;){let i=n+o>>1;e(r[i])<=t?n=i+1:o=i}return n}function ke(r,e,t){let n=e(t),o=r.at(-1);if(o===void 0||e(o)<=n)return r.push(t)-1;let i=N(r,e,n);return r.splice(i,0,t),i}var P=({at:r})=>r,je=r=>r,S=class{#t;#e=[];#i=[];#n=0;constructor(e=()=>1){this.#t=e}get all(){return this.#e}add(e){let t=ke(this.#e,P,e),n=t-1,o=n<0?this.#n:this.#i[n]+this.#t(this.#e[n]);this.#i.splice(t,0,o);for(let i=t;i<this.#e.length;i++)this.#i[i]=o,o+=this.#t(this.#e[i])}find(e){let t=this.#e[N(this.#e,P,e)-1];return t!==void 0&&e<t.to?t:void 0}last(e){return this.#e[N(this.#e,P,e)-1]}weightAt(e){let t=N(this.#e,P,e)-1;if(t<0)return this.#n;let n=this.#e[t];return this.#i[t]+(n.to<=e?this.#t(n):0)}forget(e){let t=this.#e.findIndex(({to:i})=>i>=e),n=t<0?this.#e.length:t;if(n===0)return;let o=this.#e[n-1];this.#n=this.#i[n-1]+this.#t(o),this.#e=this.#e.slice(n),this.#i=this.#i.slice(n)}},k=class{#t=[];add(e,t){ke(this.#t,P,{at:e,value:t})}get all(){return this.#t}countAt(e){return N(this.#t,P,e)}at(e){return this.last(e)?.value}last(e){return this.#t[this.countAt(e)-1]}forget(e){let t=this.countAt(e)-1;t>0&&(this.#t=this.#t.slice(t))}},D=class{#t=[];#e=0;add(e){ke(this.#t,je,e)}countAt(e){return this.#e+N(this.#t,je,e)}forget(e){let t=this.#t.findIndex(o=>o>=e),n=t<0?this.#t.length:t;this.#e+=n,this.#t=this.#t.slice(n)}};function Je({count:r,has:e,mayHaveLeft:t},n){if(r===0)return 0;let[o,i]=[r,0];for(let s of n)e(s)?o--:t(s)&&i++;return Math.max(0,o-i)}var ee=class{#t=new Map;#e=new k;#i=!1;add(e){let t=e.cookie??e.local,n=this.#t.get(t)??new k;this.#t.set(t,n),n.add(e.at,e),this.#n(e.at)}seesSockets(e){this.#i=!0,this.#n(e)}#n(e){this.#e.last(e)?.at!==e&&this.#e.add(e,void 0)}at(e,t,n){let o=[...this.#t.values()].flatMap(f=>f.at(e)??[]),i=o.flatMap(({waiting:f})=>f??[]),s=o.flatMap(({limit:f})=>f??[]),a=s.length===0?void 0:Xe(s),d=this.#e.countAt(e),u=this.#e.all[d-1]?.at;if(i.length===0||u===void 0)return{waiting:n===0?void 0:n,limit:a,countedUs:void 0};let l=this.#i?this.#e.all[d-2]?.at??-1/0:u,c=Je({count:Xe(i),has:({seenUs:f,leftUs:p,goneUs:m})=>f<=u&&u<Math.min(p,m),mayHaveLeft:({takenUs:f})=>l<f&&f<=e},t);return{waiting:n+c,limit:a,countedUs:u}}forget(e){this.#e.forget(e);for(let t of this.#t.values())t.forget(e)}};function Ze(r,e,t,n){let o=r.countAt(e),{at:i,value:s}=r.all[o-1]??{},a=r.all[o-2]?.at??-1/0;if(s?.queued===void 0||i===void 0)return{waiting:n,limit:void 0,countedUs:void 0};let d=Je({count:s.queued,has:({waiting:u})=>u!==void 0&&u.at<=i&&i<u.to,mayHaveLeft:({servedUs:u})=>a<u&&u<=e},t);return{waiting:n+d,limit:void 0,countedUs:i}}function A({waiting:r,limit:e}){return r===void 0?"not known":e===void 0?String(r):\`\${r} of \${e}\`}function Xe(r){return r.reduce((e,t)=>e+t,0)}var et=100;function Te({place:r,thread:e},{threads:t}){return r!=="thread"?r:t.find(({number:n})=>n===e)?.name??"a thread"}function Ee(r,e){let t=E.find(({look:s})=>s===I(r))?.words??r.doing,{task:n,waitsFor:o}=r,i=r.doing==="computing"&&n!==void 0?\` \${n}\`:"";return\`\${t}\${i}\${o===void 0?"":\`, for \${e(o)}\`}\`}var te=class{root;#t;#e=new ne;#i;#n=h("p");constructor(e,{onOpen:t,onFollow:n}){this.#t=e,this.#i=new ne(s=>{let a=this.#o.find(d=>d.id===s);a!==void 0&&n(a)});let o=["Where","Connections","What happens there"],i=["Connection","From","Where","What it does","Since"];this.root=h("details",{children:[h("summary",{text:"The same as a table"}),h("div",{class:"scroll",attributes:{tabindex:"0",role:"group","aria-label":"The picture as a table"},children:[nt("Where connections are",o,this.#e.body),nt("Connections",i,this.#i.body),this.#n]})]}),this.root.addEventListener("toggle",t)}show(e){if(!this.root.open)return;let t=this.#s(e).slice(0,et);this.#e.fill(new Map(t.map(s=>[s[0],s])));let{dots:n,us:o}=e;this.#o=n.slice(0,et),this.#i.fill(new Map(this.#o.map(s=>[s.id,[s.connection===void 0?"not accepted yet":this.#t(s.connection),s.peer,Te(s,e),Ee(s,this.#t),v(Math.max(0,o-s.sinceUs))]])));let i=n.length-this.#o.length;b(this.#n,i>0?\`and \${i} more\`:"")}#o=[];#s(e){let{threads:t,acceptQueue:n,hasHandOver:o,handOverQueue:i,totals:s}=e;return[["Accept queue",A(n),tt("accept queue",n,e)],...o?[["Hand-over queue",A(i),tt("hand-over queue",i,e)]]:[],...t.filter(({kind:a})=>a!=="other").map(a=>[a.name,String(a.dots.length),this.#r(a,e)]),...Object.entries(s.endings).map(([a,d])=>[\`Ended: \${a}\`,String(d),"since the picture began"])]}#r({activity:e,isLoop:t,turns:n},{us:o}){if(e===void 0)return t?\`waits, after \${n} turns\`:"waits";let{what:i,task:s,connection:a,sinceUs:d}=e,u=a===void 0?"":\` for \${this.#t(a)}\`,l=v(Math.max(0,o-d));return\`\${i}\${s===void 0?"":\` \${s}\`}\${u}, \${l}\`}};function tt(r,{countedUs:e},{dots:t,us:n}){let o=t.filter(s=>s.place===r).length,i=e===void 0?"not counted":\`counted \${v(n-e)} ago\`;return\`\${o} seen there, \${i}\`}function nt(r,e,t){let n=e.map(o=>h("th",{text:o,attributes:{scope:"col"}}));return h("table",{children:[h("caption",{text:r}),h("thead",{children:[h("tr",{children:n})]}),t]})}var ne=class{body=h("tbody");#t=new Map;#e;constructor(e){this.#e=e}fill(e){for(let[n,o]of this.#t)e.has(n)||(o.remove(),this.#t.delete(n));let t=this.body.firstElementChild;for(let[n,o]of e){let i=this.#t.get(n)??this.#i(n,o.length);i===t?t=t.nextElementSibling:this.body.insertBefore(i,t),o.forEach((s,a)=>{let d=i.cells[a];b(d.querySelector("button")??d,s)})}}#i(e,t){let n=h("tr",{children:Array.from({length:t},()=>h("td"))}),o=this.#e;if(o!==void 0){let s=h("button",{class:"small",attributes:{type:"button",title:"Follow it"}});s.addEventListener("click",()=>o(e)),n.cells[0]?.append(s)}return this.#t.set(e,n),n}};var Yt=200,ie=class{root;#t;#e=h("p");#i=h("ol",{attributes:{tabindex:"0","aria-label":"What has happened to it"}});#n;#o;#s="";#r="";constructor(e){this.#t=e,this.root=h("div",{class:"followed",children:[this.#e,this.#i]}),this.root.hidden=!0}get connection(){return this.#n}get isSomebody(){return this.#n!==void 0||this.#o!==void 0}follow({connection:e,id:t}={}){this.#n=e,this.#o=t,this.#s="",this.#r="",this.#i.replaceChildren()}is({connection:e,id:t}){return this.#n===void 0?t===this.#o:e===this.#n}renew(){this.#o=void 0,this.#s=""}show(e,t,n){if(this.root.hidden=!this.isSomebody,!this.isSomebody)return;let o=t.find(this.#n,this.#o);if(o===void 0){let d=this.#n===void 0?"It":this.#t.nameOf(this.#n),u=this.#s===""?"is not known: it has not come yet, or is no longer remembered":"is no longer remembered: it was over long ago";return b(this.#e,\`\${d}\${this.#r} \${u}\`)}this.#n=o.connection,this.#o=o.id;let i=t.lifeOf(o).slice(-Yt);this.#r=\`, from \${o.peer},\`;let s=o.connection===void 0?"A connection that is not accepted yet":this.#t.nameOf(o.connection),a=e.dots.find(({id:d})=>d===o.id);b(this.#e,\`\${s}\${this.#r} \${this.#a(a,e,i)}\`),this.#d(o,e,n,i)}#a(e,t,n){return e!==void 0?\`\${\`\${e.place==="thread"?"is served by":"is here:"} \${Te(e,t)}\`}: \${Ee(e,this.#t.nameOf)}\`:n.some(({us:i})=>i<=t.us)?"is in the picture no more":"is not there yet"}#d({id:e},t,n,o){let i=o.filter(({us:a})=>a<=t.us+.5).length,s=\`\${e} \${o.length} \${i} \${o.at(-1)?.us}\`;s!==this.#s&&(this.#s=s,this.#i.replaceChildren(...o.map((a,d)=>h("li",{class:d<i?"past":"",children:[h("time",{text:v(Math.max(0,a.us-n))}),h("span",{text:this.#t.named(a)})]}))),this.#h(this.#i.children[i-1]))}#h(e){let t=this.#i;if(t.matches(":hover, :focus"))return;let n=(e?.offsetTop??0)+(e?.offsetHeight??0);t.scrollTop=Math.max(0,n-t.clientHeight)}};var H=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10],oe=class{us=0;speed=1;isPlaying=!1;isLive=!1;#t={fromUs:0,toUs:0};#e;get range(){return this.#t}set range(e){this.#t=e,this.isLive||(this.us=this.#i(this.us))}get isAtEnd(){return this.us>=this.#t.toUs}play(){this.isAtEnd&&!this.isLive&&(this.us=this.#t.fromUs),this.isPlaying=!0}pause(){this.isPlaying=!1,this.isLive=!1}seek(e){this.isLive=!1,this.us=this.#i(e)}goLive(){this.isLive=!0,this.isPlaying=!0,this.speed=1}changeSpeed(e){let t=e>0?H.find(n=>n>this.speed):H.findLast(n=>n<this.speed);t!==void 0&&this.setSpeed(t)}setSpeed(e){this.speed=e,e!==1&&(this.isLive=!1)}advance(e,t){let n=this.#e===void 0?0:e-this.#e;if(this.#e=e,this.isLive&&t!==void 0){this.us=t;return}if(!this.isPlaying){this.us=this.#i(this.us);return}this.us=this.#i(this.us+n*1e3*this.speed),this.isAtEnd&&t===void 0&&(this.isPlaying=!1)}#i(e){return Math.max(this.#t.fromUs,Math.min(this.#t.toUs,e))}},jt=3e5,Xt=1e-4,_=class{#t=-1/0;#e=0;hear(e,t){let n=this.#t-(t-this.#e)*1e3*Xt;this.#t=Math.max(n,e-t*1e3),this.#e=t}at(e){return this.#t===-1/0?void 0:e*1e3+this.#t-jt}};function Me(r,e){let t=[],{connection:n,peer:o,queued:i,accepting:s}=r,a=n===void 0?o:\`#\${n}\`,d=(l,c)=>t.push({us:l,text:c,connection:n});s!==void 0&&d(s.at,\`\${a} is in the accept queue\`),r.begunUs<1/0&&d(r.begunUs,\`\${a} is accepted\`),i!==void 0&&d(i.at,\`\${a} waits in the hand-over queue\`),r.servedUs<1/0&&d(r.servedUs,\`\${e(r.server)} begins to serve \${a}\`);for(let{at:l,to:c,task:f,thread:p}of r.computing?.all??[]){let m=f===void 0?"":\` \${f}\`;d(l,\`\${e(p)} begins to compute\${m} for \${a}\`),d(c,\`\${e(p)} has computed\${m} for \${a}\`)}for(let{at:l,to:c}of r.awaiting?.all??[])d(l,\`\${a} waits while another thread computes\`),d(c,\`\${a} has the result\`);for(let{at:l,to:c}of r.writing?.all??[])d(l,\`\${a} waits for its peer to take what was sent\`),d(c,\`the peer of \${a} has taken it\`);if(r.over!==void 0){let{outcome:l,failure:c}=r.over,f=c===void 0?"":\`, \${c}\`,p=l==="unknown"?": how was left out":\`: \${l}\${f}\`;d(r.overUs,\`the conversation of \${a} is over\${p}\`)}let u=r.endUs(!0);return u<1/0&&r.endedWith!==void 0&&d(u,\`\${a} has ended with \${r.endedWith}\`),t}var re=class{number;name;isLoop=!1;presence=new k;computing=new S;writing=new S;turns=new S(({count:e})=>e??1);open;constructor(e,t){this.number=e,this.name=t}get kind(){return this.isLoop?"serves":this.name.startsWith("acceptor")?"accepts":this.name.startsWith("computing")?"computes":/^(worker|process|loop|child)/.test(this.name)?"serves":"other"}activityAt(e){let[t,n]=[this.computing.find(e),this.writing.find(e)];if(t!==void 0)return V("computing",t);if(n!==void 0)return V("writing",n);let{open:o}=this;if(o!==void 0&&o.at<=e&&e<o.to){if(o.what==="computing"||o.what==="writing")return V(o.what,o);if(o.what==="turn")return V("turn",o)}let i=this.turns.find(e);return i&&V("turn",i)}forget(e){this.presence.forget(e),this.computing.forget(e),this.writing.forget(e),this.turns.forget(e)}};function V(r,{at:e,connection:t,task:n}){return{what:r,connection:t,task:n,sinceUs:e}}var Se=1e3;function it(r,e,t){let n=r.activityAt(e);if(r.isLoop&&n!==void 0&&(n.what==="computing"||e-n.sinceUs>=Se))for(let i of t)i.doing!=="reading"||i.connection===n.connection||(i.doing="waiting for the loop",i.waitsFor=n.connection,i.sinceUs=Math.max(i.sinceUs,n.sinceUs));return{number:r.number,name:r.name,isLoop:r.isLoop,kind:r.kind,activity:n,turns:r.turns.weightAt(e),lastTurn:r.turns.last(e)?.connection,dots:t}}var Jt=2e6,se=class{id;peer;connection;isOwn=!1;place="taken";thread;doing="waiting";task;sinceUs=0;waitsFor;ending;outcome;failure;seenUs=1/0;leftUs=1/0;begunUs=1/0;queued;inQueue;servedUs=1/0;server;overUs=1/0;goneUs=1/0;endedWith;isLeftOut=!1;over;computing;awaiting;writing;open;constructor(e,t){this.id=e,this.peer=t}add(e,t){(this[e]??=new S).add(t)}forget(e){this.computing?.forget(e),this.awaiting?.forget(e),this.writing?.forget(e)}get fromUs(){return Math.min(this.seenUs,this.takenUs)}get doneUs(){return this.begunUs<1/0?this.overUs:Math.min(this.goneUs,this.inQueue?.to??this.leftUs)}get takenUs(){return Math.min(this.begunUs,this.inQueue?.at??1/0)}get waiting(){let{begunUs:e,queued:t,servedUs:n}=this;return t!==void 0?t:e===1/0?this.inQueue:n<1/0?void 0:{at:e,to:this.overUs}}get accepting(){let e=Math.min(this.leftUs,this.takenUs,this.goneUs);return this.seenUs<e?{at:this.seenUs,to:e}:void 0}hasEnded(e,t){let n=this.begunUs===1/0?this.goneUs:this.overUs;return e>=n&&e>=this.endUs(t)}endUs(e){if(this.begunUs===1/0)return this.goneUs;if(this.overUs===1/0)return 1/0;if(this.goneUs<1/0){let t=e&&this.endedWith===void 0&&!this.isLeftOut;return Math.max(this.overUs,this.goneUs+(t?Jt:0))}return e&&this.over?.outcome!=="unknown"?1/0:this.overUs}look(e,t){this.waitsFor=void 0,this.task=void 0,this.doing="waiting";let n=this.hasEnded(e,t),o=e>=this.overUs||n;this.thread=e>=this.servedUs?this.server:void 0,this.outcome=o?this.over?.outcome:void 0,this.failure=o?this.over?.failure:void 0,this.ending=n?this.endedWith??"unknown":void 0,n?this.#t("ended",this.endUs(t)):e>=this.overUs?this.#t("closing",this.overUs):e>=this.servedUs?this.#i(e):e>=this.begunUs?this.#e(e):this.inQueue!==void 0&&e>=this.inQueue.at?this.#t(e<this.inQueue.to?"hand-over queue":"taken",this.inQueue.at):e<this.leftUs?this.#t("accept queue",this.seenUs):this.#t("taken",this.leftUs)}#t(e,t){this.place=e,this.sinceUs=t}#e(e){let{waiting:t}=this,n=t!==void 0&&t.at<=e&&e<t.to;this.#t(n?"hand-over queue":"taken",t?.at??this.begunUs)}#i(e){let{open:t}=this;this.#t("thread",this.servedUs);let n=this.computing?.find(e)??Le(t,"computing",e),o=this.awaiting?.find(e)??Le(t,"waiting for computing",e);if(n!==void 0&&n.thread===this.server)return this.#n("computing",n);let i=o??n;if(i!==void 0)return this.#n("waiting for computing",i);let s=this.writing?.find(e)??Le(t,"writing",e);if(s!==void 0)return this.#n("writing",s);this.doing="reading",this.sinceUs=Math.max(this.servedUs,this.computing?.last(e)?.to??0,this.awaiting?.last(e)?.to??0,this.writing?.last(e)?.to??0)}#n(e,{at:t,task:n}){this.doing=e,this.task=n,this.sinceUs=t}};function Le(r,e,t){return r?.what===e&&r.at<=t&&t<r.to?r:void 0}var ae=class{#t=[];#e=[];#i=!0;#n=[];#o=0;#s=-1/0;#r=0;get all(){return this.#a(),this.#t}add(e){this.#e.push(e)}comes({fromUs:e},t){t<1/0&&e<t&&(this.#i=!1)}lookAnew(){this.#s=1/0}keep(e){this.#a(),this.#t=this.#t.filter(e),this.lookAnew()}presentAt(e,t,n){this.#a();let o=e>=this.#s&&t===this.#r;o||(this.#n=[],this.#o=0);let i=s=>s.hasEnded(e-t,n);for(o&&this.#n.some(i)&&(this.#n=this.#n.filter(s=>!i(s)));this.#o<this.#t.length;this.#o++){let s=this.#t[this.#o];if(s.fromUs>e)break;i(s)||this.#n.push(s)}return this.#s=e,this.#r=t,this.#n}#a(){let e=this.#e;if(!(this.#i&&e.length===0)){if(this.#e=[],this.#i&&e.length<=256){for(let t of e)this.#d(t);return}for(let t of e)this.#t.push(t);this.#t.sort((t,n)=>t.fromUs-n.fromUs),this.#i=!0,this.lookAnew()}}#d(e){let t=this.#t,{fromUs:n}=e,o=t.length;for(;o>0&&t[o-1].fromUs>n;)o--;o===t.length?t.push(e):t.splice(o,0,e),!(o>=this.#o)&&(this.#o++,this.#n.push(e))}};var Zt=7e5,en=.1,tn=["done","cut","empty","failed","unknown"],nn=["FIN","RST","unknown"],at={fin:"FIN",reset:"RST",unknown:"unknown"},O=class{header;isFinished=!1;#t;#e=new Map;#i=new ee;#n=new ae;#o=new Map;#s=new Map;#r=new Map;#a=new Map;#d=new D;#h=new Map(tn.map(e=>[e,new D]));#l=new Map(nn.map(e=>[e,new D]));#u=new k;#T;#p=new k;#b=new k;#w=new Map;#m=!1;#x=!1;#S=0;#c=1/0;#k=0;#g=1/0;#L=0;#C;constructor({keepUs:e=1/0}={}){this.#t=e}get fromUs(){return Math.max(this.#c===1/0?0:this.#c,this.#L)}get toUs(){return this.#k}get firstUs(){let e=this.#n.all[0]?.fromUs??1/0;return e===1/0?void 0:e}get figures(){return this.#p.all.map(({value:e})=>e)}get dots(){return this.#n.all}add(e){for(let n of e)this.#O(n);this.#C=void 0;let t=this.#k-this.#t;t-this.#L>this.#t*en&&this.#q(t)}at(e,t=0){let n=this.#n.presentAt(e,t,this.#m),o=new Map,i={"accept queue":0,"hand-over queue":0};for(let c of n){if(c.look(e,this.#m),(c.place==="accept queue"||c.place==="hand-over queue")&&i[c.place]++,c.place!=="thread"||c.server===void 0)continue;let f=o.get(c.server);f===void 0?o.set(c.server,[c]):f.push(c)}let s=[];for(let c of this.#e.values()){let f=o.get(c.number)??[];c.presence.at(e)!==!0&&f.length===0||s.push(it(c,e,f))}on(n,s);let a=this.#u.at(e),d=this.#n.all,u=new Map([...this.#w].map(([c,f])=>[c,f.at(e)??0])),l=st(this.#h,e);return{us:e,dots:n,threads:s.sort((c,f)=>c.number-f.number),acceptQueue:this.#i.at(e,d,i["accept queue"]),hasHandOver:this.#x||s.some(({kind:c})=>c==="accepts"),handOverQueue:Ze(this.#u,e,d,i["hand-over queue"]),totals:{begun:this.#d.countAt(e),outcomes:l,endings:this.#M(e,l,u,n)},areEndsTold:this.#m,hasUnknownEnds:this.#$,counters:a,figures:this.#p.at(e),leftOut:u,isPartial:e-(this.#w.get("connections")?.last(e)?.at??-1/0)<Zt,isClosing:e>=this.#g,note:this.#b.at(e)}}countersAt(e){return this.#u.at(e)}get#$(){return!this.#m||this.#t<1/0||(this.#l.get("unknown")?.countAt(1/0)??0)>0||[...this.#w.keys()].some(e=>e!=="spans")}#M(e,t,n,o){let i=st(this.#l,e),a=![...n].some(([l,c])=>l!=="spans"&&c>0)?0:this.#R(this.#u.at(e),i,o),d=Object.values(t).reduce((l,c)=>l+c,0),u=this.#m?a:Math.max(a,d);return{...i,unknown:i.unknown+u}}#R(e,t,n){let o=this.#T;if(e===void 0||o===void 0)return 0;let i=({accepted:d=0,live:u=0})=>d-u,s=t.FIN+t.RST+t.unknown,a=n.reduce((d,{place:u})=>d+(u==="closing"?1:0),0);return Math.max(0,i(e)-i(o)-s-a)}find(e,t){return e!==void 0?this.#o.get(e):this.#n.all.find(n=>n.id===t)}lifeOf(e){return ot(Me(e,this.#P))}happenings(){return this.#C??=ot([...this.#n.all.flatMap(e=>Me(e,this.#P)),...this.#U()])}#U(){let e=this.#g;return this.#n.all.some(({doneUs:n})=>e<n)&&e<1/0?[{us:e,text:"the server is told to close",connection:void 0}]:[]}#P=e=>this.#e.get(e??0)?.name??"a thread";#O(e){if(e.type==="recording"){this.header=e;return}switch(this.#c=Math.min(this.#c,e.at),this.#k=Math.max(this.#k,e.at,"to"in e&&e.type==="span"?e.to:0),e.type){case"thread":return this.#N(e);case"begun":return this.#H(e);case"queued":{this.#x=!0;let t=this.#o.get(e.connection);t!==void 0&&(t.queued=e);return}case"served":{let t=this.#o.get(e.connection);if(t===void 0)return;t.servedUs=e.at,t.server=e.thread;return}case"over":{this.#h.get(e.outcome)?.add(e.at);let t=this.#o.get(e.connection);if(t===void 0)return;t.overUs=e.at,t.over={outcome:e.outcome,failure:e.failure},t.open=void 0;return}case"span":return this.#D(e);case"doing":return this.#I(e);case"socket":return this.#A(e);case"connection":return this.#V(e);case"listener":return e.cookie!==void 0&&this.#y(),this.#i.add(e);case"counters":this.#T??=e.values,this.#u.add(e.at,e.values);return;case"figures":this.#p.add(e.at,e);return;case"closing":this.#g=Math.min(this.#g,e.at);return;case"note":this.#b.add(e.at,e.text);return;case"left_out":{let t=this.#w.get(e.what)??new k;this.#w.set(e.what,t),t.add(e.at,(t.at(e.at)??0)+e.count),e.what!=="spans"&&this.#F(e.at);return}case"end":this.isFinished=!0}}#N({thread:e,name:t,loop:n,gone:o,at:i}){let s=this.#e.get(e)??new re(e,String(t));this.#e.set(e,s),s.name=String(t),s.isLoop||=n===!0,s.presence.add(i,o!==!0),o===!0&&(s.open=void 0)}#H(e){let{at:t,connection:n,peer:o,cookie:i,by:s}=e;this.#d.add(t);let d=(i===void 0?void 0:this.#r.get(i))??this.#s.get(o),l=d!==void 0&&d.connection===void 0&&t<d.goneUs?d:this.#v(o);l.goneUs<1/0&&this.#n.lookAnew();let{fromUs:c}=l;l.connection=n,l.begunUs=t,this.#n.comes(l,c),l.isOwn=s==="page",this.#o.set(n,l),i!==void 0&&this.#r.set(i,l);let f=this.#a.get(o);f!==void 0&&(this.#a.delete(o),f.at>=t&&rt(l,f))}#v(e){let t=new se(++this.#S,String(e));return this.#n.add(t),this.#s.set(e,t),t}#D(e){let{name:t,at:n,to:o,thread:i,task:s}=e,a=i===void 0?void 0:this.#e.get(i);a?.open!==void 0&&a.open.at<o&&(a.open=void 0);let d=e.connection===void 0?void 0:this.#o.get(e.connection);d?.open!==void 0&&d.open.at<o&&(d.open=void 0);let u={at:n,to:o,thread:i,task:s};switch(t){case"computing":a?.computing.add(e),d?.add("computing",u);return;case"waiting for computing":d?.add("awaiting",u);return;case"writing":a?.writing.add(e),d?.add("writing",u);return;case"turn":case"turns":a?.turns.add(e)}}#I(e){let{at:t,thread:n,connection:o,peer:i,what:s,task:a}=e;if(i!==void 0)return this.#E(i,t,s!==void 0);let d=n===void 0?void 0:this.#e.get(n);if(s===void 0){let l=d===void 0?o:d.open?.connection;d?.open!==void 0&&(d.open={...d.open,to:t});let c=this.#o.get(l??0);c?.open!==void 0&&(c.open={...c.open,to:t});return}d!==void 0&&(d.open={...e,to:1/0});let u=this.#o.get(o??0);u!==void 0&&(u.open={at:t,to:1/0,thread:n,task:a,what:s})}#E(e,t,n){this.#x=!0;let o=this.#f(e,t);if(n){let i=o?.connection===void 0&&o!==void 0?o:this.#v(e),{fromUs:s}=i;i.inQueue={at:t,to:1/0},this.#n.comes(i,s)}else o?.inQueue!==void 0&&(o.inQueue={...o.inQueue,to:t})}#A({at:e,cookie:t,remote:n,state:o,end:i,waiting:s}){if(i==="client")return;this.#y();let a=this.#r.get(t)??this.#f(n,e);if(o==="CLOSE"){if(this.#r.delete(t),a===void 0)return;a.goneUs=Math.min(a.goneUs,e),a.leftUs=Math.min(a.leftUs,e);return}if(this.#i.seesSockets(e),s===!0){a??=this.#v(n);let{fromUs:d}=a;a.seenUs=Math.min(a.seenUs,e),this.#n.comes(a,d)}else a!==void 0&&a.seenUs<e&&(a.leftUs=Math.min(a.leftUs,e));a!==void 0&&this.#r.set(t,a)}#y(){this.#m||this.#n.lookAnew(),this.#m=!0}#f(e,t){let n=this.#s.get(e);return n!==void 0&&t<n.goneUs?n:void 0}#V(e){this.#y(),this.#l.get(at[e.ended_with]??"unknown")?.add(e.at);let n=(e.cookie===void 0?void 0:this.#r.get(e.cookie))??this.#s.get(e.remote);n!==void 0&&n.endedWith===void 0&&n.fromUs<=e.at?(n.goneUs<e.at&&this.#n.lookAnew(),rt(n,e)):this.#a.set(e.remote,e)}#F(e){let t=new Set(this.#r.values());for(let n of this.#n.all)n.overUs>e||n.endedWith!==void 0||t.has(n)||(n.isLeftOut=!0,n.goneUs===1/0&&(n.goneUs=e))}#q(e){this.#L=e;let t=({doneUs:n})=>n<e;this.#n.keep(n=>t(n)?(n.connection!==void 0&&this.#o.delete(n.connection),this.#s.get(n.peer)===n&&this.#s.delete(n.peer),!1):!0);for(let[n,o]of this.#r)t(o)&&this.#r.delete(n);for(let[n,{at:o}]of this.#a)o<e&&this.#a.delete(n);for(let n of this.#n.all)n.forget(e);for(let[n,o]of this.#e){o.forget(e);let{all:i}=o.presence;i.length===1&&i[0]?.value===!1&&i[0].at<e&&this.#e.delete(n)}this.#i.forget(e);for(let n of[this.#d,...this.#h.values(),...this.#l.values()])n.forget(e);for(let n of[this.#u,this.#p,this.#b,...this.#w.values()])n.forget(e)}};function ot(r){return r.toSorted((e,t)=>e.us-t.us)}function rt(r,{at:e,ended_with:t}){r.goneUs=e,r.endedWith=at[t]??"unknown"}function st(r,e){let t=[...r].map(([n,o])=>[n,o.countAt(e)]);return Object.fromEntries(t)}function on(r,e){let t=s=>{let a=e.filter(d=>d.kind===s);return a.length===1?a[0]:void 0},n=t("serves"),o=n?.isLoop===!0?n.activity?.what==="computing"?n.activity.connection:void 0:n?.dots[0]?.connection,i=t("computes")?.activity?.connection;for(let s of r){let{place:a,doing:d,connection:u}=s;a==="accept queue"||a==="hand-over queue"?s.waitsFor=o:d==="waiting for computing"&&u!==i&&(s.waitsFor=i)}}var rn=Math.PI*(3-Math.sqrt(5));function lt(r){return r<=30?10:r<=120?7:r<=500?4.5:r<=2e3?3:1.8}function ut({width:r,height:e},t,n){let o=n*2.6,i=Math.min(o,Math.sqrt(r*e/Math.max(1,t)));for(;i>.5&&Math.max(1,Math.floor(r/i))*Math.max(1,Math.floor(e/i))<t;)i*=.97;return i}function ct(r,e,t,n){let o=ut(r,e,t),{x:i,y:s,width:a,height:d}=r;if(n){let l=Math.max(1,Math.floor(a/o));return c=>({x:i+o*(c%l+.5),y:s+d-o*(Math.floor(c/l)+.5)})}let u=Math.max(1,Math.floor(d/o));return l=>({x:i+a-o*(Math.floor(l/u)+.5),y:s+o*(l%u+.5)})}function F(r,e,t){let n=ut(r,e,t),o=Math.max(1,Math.floor(r.width/n));return i=>({x:r.x+n*(i%o+.5),y:r.y+n*(Math.floor(i/o)+.5)})}function Ue({x:r,y:e,width:t,height:n},o){let i=Math.max(4,Math.min(t,n)/2-o-3);return{x:r+t/2,y:e+n/2,radius:i}}function ht(r,e,t,n){let o=Math.floor(2*Math.PI*e.radius/(n*2.6)),i=2**Math.floor(Math.log2(Math.max(1,o))),s=t<=i,a=2**Math.ceil(Math.log2(Math.max(1,t)));r.set(\`\${e.x} \${e.y} \${e.radius} \${s?0:a}\`,d=>{if(s)return dt(e,e.radius,2*Math.PI*sn(d)-Math.PI/2);let u=Math.sqrt(.06+.94*(d+.5)/a);return dt(e,e.radius*u,d*rn)})}function dt({x:r,y:e},t,n){return{x:r+t*Math.cos(n),y:e+t*Math.sin(n)}}function sn(r){let[e,t]=[0,.5];for(let n=r;n>0;n>>=1,t/=2)(n&1)===1&&(e+=t);return e}var de=class{#t="";#e=()=>({x:0,y:0});#i=[];set(e,t){e!==this.#t&&(this.#t=e,this.#e=t,this.#i.length=0)}at(e){return this.#i[e]??=this.#e(e)}},C=class{#t=new Map;#e=[];#i=0;#n=0;get size(){return this.#i}keep(e){let t=++this.#n,n;for(let i of e){let s=this.#t.get(i);s===void 0?(n??=[]).push(i):s.round=t}let o=e.length-(n?.length??0);this.#t.size>o&&this.#o(t);for(let i of n??[])this.#t.set(i,{number:this.#e.pop()??this.#i++,round:t})}#o(e){for(let[t,n]of this.#t)n.round!==e&&(this.#t.delete(t),this.#e.push(n.number));this.#t.size===0&&(this.#e.length=0,this.#i=0),this.#e.sort((t,n)=>n-t)}of(e){return this.#t.get(e)?.number??0}};var Oe={closing:["Closing","end not seen yet"],FIN:["FIN","ended in order"],RST:["RST","reset"],unknown:["Over","how is not told"]};function q(r,e,t){let n=h("p",{class:"count"}),o=h("p",{class:"who whom"}),i=h("div",{class:"well"});return{root:h("section",{class:\`box \${r}\`,children:[...e===""?[]:[h("h3",{text:e})],...t===""?[]:[h("p",{class:"who",text:t})],n,o,i]}),count:n,whom:o,well:i}}function ft({number:r,name:e,isLoop:t,kind:n,turns:o}){let i=h("p",{class:"what"}),s=h("div",{class:"well"});return{root:h("div",{class:\`card \${t?"loop":n}\`,attributes:{"data-thread":String(r)},children:[h("h4",{text:e}),i,s]}),what:i,well:s,turns:o,slots:new C,places:new de,angle:-Math.PI/2,rectangle:{x:0,y:0,width:1,height:1},toAngle:-Math.PI/2}}function mt({activity:r,dots:e,isLoop:t}){return r?.what==="computing"?"computing":r?.what==="writing"?"writing":t||e.length===0?"free":"reading"}function le(r,e){return\`\${x(r)} \${e}\${r===1?"":"s"}\`}function pt({activity:r,dots:e,isLoop:t,turns:n,kind:o},i,s){let a=r?.connection===void 0?"":\` for \${s(r.connection)}\`,d=r===void 0?"":v(Math.max(0,i-r.sinceUs));if(r?.what==="computing"){let c=r.task===void 0?"":\` \${r.task}\`;return t?\`stands still: computes\${c}\${a} · \${d}\`:\`computes\${c}\${a} · \${d}\`}if(t&&r!==void 0&&i-r.sinceUs>=Se)return\`stands still: a turn\${a} · \${d}\`;if(t)return\`\${le(e.length,"connection")} · \${x(n)} \${n===1?"turn":"turns"}\`;if(o==="computes")return"free";let[u]=e;if(u===void 0)return"free";let l=u.connection===void 0?u.peer:s(u.connection);return u.doing==="writing"?\`waits until \${l} takes what was sent\`:\`waits for \${l} to send\`}var gt=90,an=2e3,dn=4,ln=9,ue=class{#t=new Map;#e=new Map(E.map(({look:e})=>[e,[]]));#i=0;get size(){return this.#t.size}keep(e){let t=++this.#i,[n,o]=[!1,!1];for(let i of e){let s=this.#t.get(i);if(s===void 0){n=!0,this.#t.set(i,{x:NaN,y:NaN,toX:NaN,toY:NaN,alpha:0,round:t,dot:i,look:I(i),place:i.place,thread:i.thread});continue}s.round=t;let a=I(i);o||=a!==s.look||i.place==="ended",s.look=a,!(s.place===i.place&&s.thread===i.thread)&&(n=!0,s.place=i.place,s.thread=i.thread)}if(this.#t.size>e.length){for(let[i,s]of this.#t)s.round!==t&&this.#t.delete(i);n=!0}return{hasMoved:n,hasChanged:o||n}}find(e){return this.#t.get(e)}send(e,{x:t,y:n},o){let i=this.#t.get(e);i!==void 0&&(i.toX=t,i.toY=n,Number.isNaN(i.x)&&(i.x=t+o.x,i.y=n+o.y))}move(e,t){let n=t?1:1-Math.exp(-e/gt),o=!1;for(let i of this.#t.values()){let[s,a]=[i.toX-i.x,i.toY-i.y];n===1||Math.abs(s)+Math.abs(a)<.4?(i.x=i.toX,i.y=i.toY):(i.x+=s*n,i.y+=a*n,o=!0),!(i.alpha>=1)&&(i.alpha=Math.min(1,t?1:i.alpha+e/(2*gt)),o=!0)}return o}get isLarge(){return this.#t.size>an}nearest({x:e,y:t},n){let[o,i]=[void 0,n*n];for(let s of this.#t.values()){let a=(s.x-e)**2+(s.y-t)**2;a>i||([o,i]=[s,a])}return o?.dot}draw(e,t){let{radius:n,colours:o}=t;for(let s of this.#e.values())s.length=0;for(let s of this.#t.values())Number.isNaN(s.x)||this.#e.get(s.look)?.push(s);for(let[s,a]of this.#e){if(a.length===0)continue;let d=o.get(s);n<dn?un(e,a,d,n):cn(e,a,s,d,t)}e.globalAlpha=1;let{isFollowed:i}=t;if(i!==void 0)for(let s of this.#t.values())i(s.dot)&&(e.strokeStyle=o.get("accent"),e.lineWidth=2,e.beginPath(),e.arc(s.x,s.y,Math.max(n+4,7),0,2*Math.PI),e.stroke())}};function un(r,e,t,n){if(r.globalAlpha=1,r.fillStyle=t,n<2.5){let o=2*n;for(let{x:i,y:s}of e)r.fillRect(i-n,s-n,o,o);return}r.beginPath();for(let{x:o,y:i}of e)r.moveTo(o+n,i),r.arc(o,i,n,0,2*Math.PI);r.fill()}function cn(r,e,t,n,{radius:o,colours:i,letterOf:s,shareOf:a,font:d}){let u=_e.get(t),l=i.get("well"),c=Math.max(1.5,o*.26);r.lineWidth=c,r.strokeStyle=n,r.font=d,r.textAlign="center",r.textBaseline="middle";for(let f of e){let{x:p,y:m,dot:w}=f;if(r.globalAlpha=f.alpha*a(w),r.beginPath(),u==="cross"){let g=o*.7;r.moveTo(p-g,m-g),r.lineTo(p+g,m+g),r.moveTo(p+g,m-g),r.lineTo(p-g,m+g),r.stroke();continue}r.arc(p,m,u==="ring"?o-c/2:o,0,2*Math.PI),r.fillStyle=u==="ring"?l:n,r.fill(),u==="ring"&&r.stroke(),!(o<ln)&&(r.fillStyle=u==="ring"?n:l,r.fillText(s(w),p,m+.5))}r.globalAlpha=1}function Ce({x:r,y:e,width:t,height:n}){return{x:r+t/2,y:e+n/2}}var hn=32,fn=720,mn=100,pn=64,gn=70,yt="in the kernel",yn="newcomers kept out",ce=class{root;canvas;#t;#e;#i;#n;#o;#s;#r;#a;#d=new ue;#h;#l=new Map;#u;#T="";#p=new Map;#b=!1;#w=1;#m=!1;#x=new Map;#S=-1/0;#c=10;#k="";#g=!0;lingerUs=7e5;constructor(e){this.#h=e;let t=h("div",{class:"fill"}),n=q("accept","Accept queue",yt);n.count.after(h("div",{class:"gauge",children:[t]})),this.#e={...n,gauge:t,where:n.root.querySelector(".who")},this.#i=q("handover","Hand-over queue","in the process"),this.#s=h("div",{class:"cards"}),this.#r=h("p",{class:"others"}),this.#o=h("p",{class:"who"});let o=h("h3",{text:"Threads"});this.#n={root:h("section",{class:"box threads",children:[o,this.#o,this.#s,this.#r]}),title:o},this.#a=new Map(Object.keys(Oe).map(s=>{let a=q(\`end \${s.toLowerCase()}\`,...Oe[s]);return[s,{...a,slots:new C}]}));let i=h("div",{class:"ends",children:[...this.#a.values()].map(({root:s})=>s)});this.#t=h("div",{class:"flow",children:[this.#e.root,this.#i.root,this.#n.root,i]}),this.canvas=h("canvas",{attributes:{"aria-hidden":"true"}}),this.root=h("div",{class:"stage",children:[this.#t,this.canvas]})}refresh(){this.#b=!1,this.#g=!0,this.#S=-1/0}hit(e){return this.#d.nearest(e,Math.max(14,this.#c+4))}show(e,{passedMs:t,jumps:n,isPlaying:o}){let i=performance.now();this.#C(e)&&this.refresh(),(i-this.#S>=mn||!o)&&(this.#S=i,this.#$(e)),this.#b||this.#R();let{hasMoved:s,hasChanged:a}=this.#d.keep(e.dots);(s||this.#g)&&this.#P(e);let d=this.#d.move(t,n),u=this.#D(e,t,n),l=this.#L(e);return(a||d||u||this.#g||l!==this.#k)&&this.#I(e),this.#k=l,this.#g=!1,d||u}#L({threads:e}){return e.map(({activity:t,isLoop:n,kind:o})=>t!==void 0&&(n||o==="computes")?\`\${t.what} \${t.connection}\`:"").join()}get isLarge(){return this.#d.isLarge}#C({threads:e,hasHandOver:t,areEndsTold:n,hasUnknownEnds:o}){let i=e.filter(({kind:y})=>y==="serves"||y==="computes"),s=i.filter(({isLoop:y})=>y),a=i.filter(({isLoop:y})=>!y),d=a.length>hn,u=d?s:[...s,...a],l=e.filter(({kind:y})=>y!=="serves"&&y!=="computes"),c=JSON.stringify([t,d,n,o,u.map(({number:y,name:T})=>[y,T]),l.map(({name:y})=>y)]);if(c===this.#T)return!1;this.#T=c,this.#i.root.hidden=!t,this.#t.classList.toggle("with-handover",t);for(let[y,{root:T}]of this.#a)T.hidden=y==="unknown"?!o:!n;let f=new Map(this.#l);this.#l.clear();for(let y of u)this.#l.set(y.number,f.get(y.number)??ft(y));let p=[...this.#l.values()].map(({root:y})=>y);d?(this.#u??={...q("dense","",""),slots:new C},p.push(this.#u.root)):this.#u=void 0,this.#s.replaceChildren(...p),this.#s.classList.toggle("one",u.length===1&&!d);let m=s.length===0,w=u.some(({name:y})=>y.startsWith("process"));b(this.#n.title,m?w?"Processes":"Threads":s.length===1?"Event loop":"Event loops");let g=l.map(({name:y})=>y).join(", ");return b(this.#r,g===""?"":\`also there: \${g}\`),this.#r.hidden=g==="",!0}#$(e){let{acceptQueue:t,handOverQueue:n,dots:o,totals:i,threads:s,us:a}=e,d=g=>o.reduce((y,T)=>y+(T.place===g?1:0),0),{waiting:u=0,limit:l=0}=t;b(this.#e.count,A(t)),this.#e.where!==null&&b(this.#e.where,e.isClosing?yn:yt),this.#e.gauge.style.width=\`\${l===0?0:Math.min(100,u/l*100)}%\`,this.#M(this.#e,"accept queue",o),this.#M(this.#i,"hand-over queue",o),b(this.#i.count,A(n));for(let g of s){let y=this.#l.get(g.number);if(y===void 0)continue;let{root:T,what:B}=y,Ie=pt(g,a,this.#h.nameOf);b(B,Ie),B.title=Ie,T.dataset.state=mt(g)}let c=s.filter(({kind:g})=>g==="serves"),f=c.reduce((g,{dots:y})=>g+y.length,0),p=c.filter(({dots:g})=>g.length>0).length;this.root.classList.toggle("partial",e.isPartial);let m=e.counters?.live,w=(e.leftOut.get("connections")??0)===0||m===void 0||m<=f;if(b(this.#o,e.isPartial&&m!==void 0?\`the server counts \${le(m,"connection")}, too many come and go to draw each\`:c.some(({isLoop:g})=>g)?\`\${w?"":\`\${x(f)} of \`}\${le(w?f:m,"connection")} in turns\`:\`\${x(p)} of \${x(c.length)} \${p===1?"serves":"serve"}\`),this.#u!==void 0){let g=c.filter(({activity:y})=>y?.what==="computing").length;b(this.#u.count,\`\${x(c.length)} threads: \${x(g)} compute, \${x(p-g)} wait for peers, \${x(c.length-p)} are free\`)}for(let[g,{count:y}]of this.#a)b(y,x(g==="closing"?d("closing"):i.endings[g]))}#M({whom:e},t,n){let o=n.find(i=>i.place===t)?.waitsFor;b(e,o===void 0?"":\`for \${this.#h.nameOf(o)}\`)}#R(){this.#b=!0;let e=this.root.getBoundingClientRect(),t=l=>{let{x:c,y:f,width:p,height:m}=l.getBoundingClientRect();return{x:c-e.x,y:f-e.y,width:p,height:m}};this.#m=e.width<fn,this.#p=new Map;let n=[this.#e,this.#i,...this.#a.values()].map(({well:l})=>l);this.#u!==void 0&&n.push(this.#u.well);for(let l of n)this.#p.set(l,t(l));for(let l of this.#l.values())l.rectangle=t(l.well);let o=this.#w=Math.min(2,devicePixelRatio),[i,s]=[Math.round(e.width*o),Math.round(e.height*o)];(this.canvas.width!==i||this.canvas.height!==s)&&(this.canvas.width=i,this.canvas.height=s);let a=getComputedStyle(this.root),d=h("i",{class:"probe"});this.root.append(d);let u=[...E.map(({look:l})=>l),"well","accent","line","faint"];this.#x=new Map(u.map(l=>(d.style.color=\`var(--figure-\${l})\`,[l,getComputedStyle(d).color]))),d.remove(),this.#U=\`600 10px \${a.fontFamily}\`}#U="600 10px sans-serif";#P(e){let{dots:t,threads:n}=e;this.#c=lt(t.length);let o=this.#c,i=new Map;for(let l of t){let c=l.place==="ended"?l.ending:l.place,f=i.get(c);f===void 0?i.set(c,[l]):f.push(l)}let s=this.#m?{x:0,y:-18}:{x:-18,y:0},a=(l,c)=>l.sinceUs-c.sinceUs||l.id-c.id,d=(l,{well:c})=>{let f=ct(this.#v(c),l.length,o,this.#m);l.sort(a).forEach((p,m)=>this.#d.send(p,f(m),s))};d(i.get("accept queue")??[],this.#e);let u=!this.#i.root.hidden;u&&d([...i.get("hand-over queue")??[],...i.get("taken")??[]],this.#i);for(let l of n)this.#N(l,s);if(this.#u!==void 0&&this.#H(n,s),!u){let{x:l,y:c,height:f}=this.#O();for(let p of[...i.get("hand-over queue")??[],...i.get("taken")??[]])this.#d.send(p,{x:l-o,y:c+f/2},s)}for(let[l,{well:c,slots:f}]of this.#a){let p=i.get(l)??[];f.keep(p);let m=F(this.#v(c),Math.max(1,f.size),o);for(let w of p)this.#d.send(w,m(f.of(w)),s)}}#O(){return[...this.#l.values()][0]?.rectangle??{x:0,y:0,width:0,height:0}}#N({number:e,dots:t,isLoop:n},o){let i=this.#l.get(e);if(i===void 0)return;let{rectangle:s,slots:a,places:d}=i;a.keep(t);let u=this.#c;if(n){ht(d,Ue(s,u),a.size,u);for(let c of t)this.#d.send(c,d.at(a.of(c)),o);return}let l=F(s,Math.max(1,a.size),u);for(let c of t)this.#d.send(c,l(a.of(c)),o)}#H(e,t){if(this.#u===void 0)return;let{well:n,slots:o}=this.#u,i=e.filter(({number:a,kind:d})=>d==="serves"&&!this.#l.has(a));o.keep(i.map(({number:a})=>a));let s=F(this.#v(n),Math.max(1,o.size),this.#c);for(let{number:a,dots:d}of i)for(let u of d)this.#d.send(u,s(o.of(a)),t)}#v(e){return this.#p.get(e)??{x:0,y:0,width:1,height:1}}#D({threads:e,dots:t},n,o){let i=!1;for(let{number:s,isLoop:a,activity:d,turns:u,lastTurn:l,dots:c}of e){let f=a?this.#l.get(s):void 0;if(f===void 0)continue;let p=d?.connection??l,m=p===void 0?void 0:c.find(({connection:y})=>y===p),w=m&&this.#d.find(m);if(w!==void 0){let y=Ce(f.rectangle);f.toAngle=Math.atan2(w.toY-y.y,w.toX-y.x)}else u!==f.turns&&(f.toAngle+=(u-f.turns)*2*Math.PI/Math.max(8,c.length));f.turns=u;let g=bn(f.toAngle-f.angle);o||Math.abs(g)<.01?f.angle=f.toAngle:(f.angle+=g*(1-Math.exp(-n/gn)),i=!0)}return i&&t.length>0}#I(e){let t=this.canvas.getContext("2d");if(t===null)return;let n=this.#w;t.setTransform(n,0,0,n,0,0),t.clearRect(0,0,this.canvas.width,this.canvas.height);for(let i of e.threads)i.isLoop&&this.#A(t,i);this.#y(t,e.threads),this.#f(t,e);let{lingerUs:o}=this;this.#d.draw(t,{radius:this.#c,colours:this.#x,font:this.#U,letterOf:this.#h.letterOf,isFollowed:this.#h.followed(),shareOf:({place:i,sinceUs:s})=>i==="ended"?Math.max(0,1-(e.us-s)/o):1})}#E(e){return this.#x.get(e)??"gray"}#A(e,{number:t,activity:n}){let o=this.#l.get(t);if(o===void 0)return;let{x:i,y:s,radius:a}=Ue(o.rectangle,this.#c),d=n?.what==="computing";e.lineWidth=d?2.5:1.5,e.strokeStyle=this.#E(d?"computing":"line"),e.beginPath(),e.arc(i,s,a,0,2*Math.PI),e.stroke();let u=Math.max(4,a-this.#c-6);e.strokeStyle=this.#E(d?"computing":"faint"),e.fillStyle=e.strokeStyle,e.lineWidth=d?4:2.5,e.lineCap="round",e.beginPath(),e.moveTo(i,s),e.lineTo(i+u*Math.cos(o.angle),s+u*Math.sin(o.angle)),e.stroke(),e.beginPath(),e.arc(i,s,d?6:4,0,2*Math.PI),e.fill()}#y(e,t){if(this.#u===void 0)return;let{well:n,slots:o}=this.#u,i=F(this.#v(n),Math.max(1,o.size),this.#c),s=Math.max(2,this.#c*2.2);e.strokeStyle=this.#E("line"),e.lineWidth=1;for(let{number:a,kind:d}of t){if(d!=="serves"||this.#l.has(a))continue;let{x:u,y:l}=i(o.of(a));e.strokeRect(u-s/2,l-s/2,s,s)}}#f(e,{threads:t,dots:n}){let o=t.filter(({kind:s,activity:a})=>s==="computes"&&a?.what==="computing").slice(0,pn);if(o.length===0)return;let i=20;e.font=this.#U,e.textAlign="center",e.textBaseline="middle";for(let{number:s,activity:a}of o){let d=this.#l.get(s);if(d===void 0||a===void 0)continue;let{x:u,y:l}=Ce(d.rectangle),c=n.find(({connection:p})=>p===a.connection),f=c&&this.#d.find(c);f!==void 0&&(e.strokeStyle=this.#E("awaiting"),e.lineWidth=1.5,e.setLineDash([4,4]),e.beginPath(),e.moveTo(f.x,f.y),e.lineTo(u,l),e.stroke(),e.setLineDash([])),e.fillStyle=this.#E("computing"),e.beginPath(),e.roundRect(u-i/2,l-i/2,i,i,4),e.fill(),c!==void 0&&(e.fillStyle=this.#E("well"),e.fillText(this.#h.letterOf(c),u,l+.5))}}};function bn(r){return Math.atan2(Math.sin(r),Math.cos(r))}var wn=6e7,vn=700,xn=12,kn=.04,Tn=150,En=5e3,Mn=3e3,Sn=250,he=class extends W{static observedAttributes=["src","data-title","names","speed"];#t=[];#e=new oe;#i=new _;#n=new O;#o=[];#s=new Map;#r=!1;#a=!1;#d;#h;#l=new ie({nameOf:e=>this.#I(e),named:e=>this.#Q(e)});#u;#T;#p;#b;#w;#m=[];#x;#S=!0;#c=0;#k;#g=-1/0;#L=-1/0;#C="";#$=new R;get lines(){return this.#t}set lines(e){this.#t=e,this.#r=!1,this.#a=!1,this.#n=new O,this.#n.add(Y(e)),this.#N()}get names(){return this.#o}set names(e){this.#o=e,this.#D(),this.#f()}get view(){return this.#n.at(this.#e.us,this.#A)}get scene(){return this.#n}get us(){return this.#e.us}get isPlaying(){return this.#e.isPlaying}get followed(){return this.#l.connection}startLive(e=!1){this.#r=!0,this.#a=!0,this.#n=new O({keepUs:wn}),this.#i=new _,this.#e.goLive(),this.#N(e)}appendLines(e){this.#r||this.startLive(),this.#n.add(e),this.#i.hear(this.#n.toUs,performance.now()),this.#f()}stopLive(){this.#a&&(this.#a=!1,this.#e.isLive=!1,this.#f())}play(){this.#e.play(),this.#f()}pause(){this.#e.pause(),this.#f()}seek(e){this.#v(),this.#e.seek(e),this.#f()}step(e){this.#e.pause();let{us:t}=this.#e,n=this.#n.happenings(),o=e>0?n.find(i=>i.us>t+.5):n.findLast(i=>i.us<t-.5);o!==void 0&&this.seek(o.us)}follow(e){this.#M({connection:e})}#M(e){this.#l.follow(e),this.#R(),this.#y()}#R(){let e=this.#h?.follow,{connection:t}=this.#l,n=t===void 0?"":String(t);e!==void 0&&e.value!==n&&(e.value=n)}#U(e){let{dots:t}=this.view;if(t.length===0)return;let n=t.findIndex(i=>this.#l.is(i)),o=n<0&&e<0?t.length-1:(n+e+t.length)%t.length;this.#M(t[o])}connectedCallback(){this.#d===void 0&&this.#F();let e=new IntersectionObserver(([i])=>{this.#S=i?.isIntersecting??!0,this.#f()});e.observe(this);let t=new ResizeObserver(()=>this.#y());t.observe(this.#d?.root);let n=new MutationObserver(()=>this.#y());n.observe(document.documentElement,{attributes:!0,attributeFilter:["class","style"]}),this.#m=[e,t,n],this.#x=new AbortController;let{signal:o}=this.#x;for(let i of["(prefers-color-scheme: dark)","(prefers-reduced-motion: reduce)"])matchMedia(i).addEventListener("change",()=>this.#y(),{signal:o});this.#f()}disconnectedCallback(){for(let e of this.#m)e.disconnect();this.#m=[],this.#x?.abort(),this.#$.stop(),cancelAnimationFrame(this.#c),this.#c=0}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#P(n),e==="names"&&(this.names=z(n)),e==="speed"&&n!==null&&Number(n)>0&&this.#e.setSpeed(Number(n)),e==="data-title"&&this.#B()}async#P(e){await this.#$.load(e,t=>{this.lines=t,this.hasAttribute("autoplay")&&!ye()&&this.play()},t=>this.#O(t))}#O(e){this.#p!==void 0&&b(this.#p,e)}#N(e=!1){if(this.#D(),this.#B(),this.#v(),!this.#a){this.#e.pause(),this.#e.seek(this.#e.range.fromUs);let t=Number(this.getAttribute("speed"));this.#e.setSpeed(t>0?t:this.#H())}e?this.#l.renew():this.follow(void 0),this.#y()}#H(){let{fromUs:e,toUs:t}=this.#e.range,n=(t-e)/1e6/xn;return H.find(o=>o>=n)??10}#v(){let e=this.#n;if(this.#r){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let t=e.happenings(),[n,o]=[t[0],t.at(-1)];if(n===void 0||o===void 0){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let i=Math.max(1e3,(o.us-n.us)*kn);this.#e.range={fromUs:Math.max(0,n.us-i),toUs:o.us+i}}#D(){if(this.#s=new Map,this.#o.length===0)return;let e=this.#n.dots.filter(({connection:t})=>t!==void 0);for(let[t,{connection:n}]of e.slice(0,this.#o.length).entries())this.#s.set(n,this.#o[t])}#I(e){return this.#s.get(e)??\`#\${e}\`}#E({connection:e}){if(e===void 0)return"";let t=this.#s.get(e);return t!==void 0?t.slice(0,1).toUpperCase():e<1e3?String(e):""}get#A(){return vn*1e3*this.#e.speed}#y(){this.#d?.refresh(),this.#g=-1/0,this.#f()}#f(){this.#c!==0||this.#d===void 0||!this.isConnected||(this.#c=requestAnimationFrame(e=>this.#V(e)))}#V(e){this.#c=0;let t=this.#d;if(t===void 0)return;let n=ye(),o=Math.min(100,e-(this.#k??e));if(n&&this.#e.isPlaying&&e-(this.#k??-1/0)<Sn){this.#f();return}this.#k=e,this.#v();let i=this.#e.us,s=this.#a?this.#i.at(performance.now()):void 0;this.#e.advance(e,s);let{us:a}=this.#e,{view:d}=this;t.lingerUs=this.#A;let u=t.isLarge&&Math.abs(a-i)>1e6,{isPlaying:l}=this.#e,c=t.show(d,{passedMs:o,jumps:n||u,isPlaying:l});(e-this.#g>=Tn||!l)&&(this.#g=e,this.#K(d)),(l&&this.#S||c)&&this.#f()}#F(){let e=this.attachShadow({mode:"open"});$(e,L,X,Be,Qe,We);let t=new ce({nameOf:i=>this.#I(i),letterOf:i=>this.#E(i),followed:()=>this.#l.isSomebody?i=>this.#l.is(i):void 0});this.#d=t,t.canvas.addEventListener("click",i=>{let{x:s,y:a}=t.canvas.getBoundingClientRect(),d=t.hit({x:i.clientX-s,y:i.clientY-a});this.#M(d??{})}),this.#u=h("h2"),this.#T=h("p",{class:"sub"}),this.#p=h("p",{class:"now"}),this.#b=h("p",{class:"unseen",attributes:{"aria-live":"polite"}});let n=Ge();this.#h=n,this.#q(n);let o=new te(i=>this.#I(i),{onOpen:()=>this.#y(),onFollow:i=>this.#M(i)});this.#w=o,e.append(h("div",{class:"frame",attributes:{role:"group","aria-label":"A server and its connections"},children:[h("div",{class:"head",children:[this.#u,this.#T]}),t.root,n.root,this.#p,this.#l.root,Ye(),o.root,this.#b]})),this.#B()}#q(e){let{play:t,live:n,slower:o,faster:i,back:s,step:a,time:d,follow:u}=e;t.addEventListener("click",()=>this.#e.isPlaying?this.pause():this.play()),n.addEventListener("click",()=>{this.#e.goLive(),this.#f()}),o.addEventListener("click",()=>this.#_(-1)),i.addEventListener("click",()=>this.#_(1)),s.addEventListener("click",()=>this.step(-1)),a.addEventListener("click",()=>this.step(1)),d.addEventListener("input",()=>{let{fromUs:l,toUs:c}=this.#e.range;this.#e.pause(),this.seek(l+Number(d.value)/Number(d.max)*(c-l))}),u.addEventListener("input",()=>{let l=Number(u.value);this.follow(u.value!==""&&Number.isInteger(l)?l:void 0)}),this.shadowRoot?.addEventListener("keydown",l=>this.#W(l))}#W(e){if(e.ctrlKey||e.metaKey||e.altKey)return;let{target:t}=e,n=t instanceof HTMLInputElement||t instanceof HTMLSelectElement,o=t instanceof HTMLButtonElement,{key:i}=e;if(i==="Escape")this.follow(void 0);else{if(n)return;if(i==="+")this.#_(1);else if(i==="-")this.#_(-1);else if(i===".")this.step(1);else if(i===",")this.step(-1);else if(i==="n")this.#U(1);else if(i==="p")this.#U(-1);else if(i==="k"||i===" "&&!o&&t===this.#h?.root)this.#e.isPlaying?this.pause():this.play();else return}e.preventDefault()}#_(e){this.#e.changeSpeed(e),this.#y()}#B(){if(this.#u===void 0||this.#T===void 0)return;let{header:e}=this.#n;b(this.#u,this.getAttribute("data-title")??e?.by??""),b(this.#T,e===void 0?"":\`\${e.by} · \${e.runtime}\`),this.#u.parentElement?.toggleAttribute("hidden",e===void 0&&this.#u.textContent==="")}#K(e){this.#z(e),this.#G(e),this.#l.show(e,this.#n,this.#e.range.fromUs),this.#R(),this.#w?.show(e),this.#j(e)}#z({us:e}){let t=this.#h;if(t===void 0)return;let{isPlaying:n,isLive:o,speed:i,range:s}=this.#e;b(t.play,n?"Pause":this.#e.isAtEnd&&!this.#a?"Again":"Play"),t.live.hidden=!this.#a,b(t.live,o?"Live":"Go live"),t.live.setAttribute("aria-pressed",String(o)),b(t.speed,i>=1?\`\${i}×\`:\`1/\${Math.round(1/i)}×\`),t.slower.disabled=i<=H[0],t.faster.disabled=i>=H.at(-1);let a=Math.max(1,s.toUs-s.fromUs),{max:d}=t.time,u=String(Math.round((e-s.fromUs)/a*Number(d)));t.time.value!==u&&(t.time.value=u);let l=this.#a?o?"now":\`\${v(Math.max(0,s.toUs-e))} ago\`:\`\${v(Math.max(0,e-s.fromUs))} of \${v(a)}\`;b(t.moment,l),t.time.setAttribute("aria-valuetext",l)}#G({us:e,note:t,leftOut:n,isPartial:o}){if(this.#a&&this.#e.isPlaying){if(!o)return this.#O(t??"");let s=n.get("connections")??0;return this.#O(\`Too many connections to draw each of them: \${x(s)} were left out so far.\`)}let i=this.#n.dots.length>Mn?void 0:this.#Y(e);this.#O(i===void 0?t??"":this.#Q(i))}#Y(e){return this.#n.happenings().findLast(t=>t.us<=e+.5)}#Q({text:e,connection:t}){let n=t===void 0?void 0:this.#s.get(t),o=n===void 0?e:e.replaceAll(\`#\${t}\`,n);return o.slice(0,1).toUpperCase()+o.slice(1)}#j({dots:e,totals:t}){let n=performance.now();if(this.#b===void 0||n-this.#L<En)return;let o=u=>e.filter(l=>l.place===u).length,i=o("thread"),s=o("accept queue")+o("hand-over queue"),a=Object.values(t.outcomes).reduce((u,l)=>u+l,0),d=\`\${i} served, \${s} waiting, \${a} over\`;d!==this.#C&&(this.#L=n,this.#C=d,b(this.#b,d))}};K("model-figure",he);var Ln={"three-clients":["Three clients","a long prime, an echo and a small prime"],"slow-client":["A slow client","it sends a byte at a time"],vanish:["A client that vanishes","it is gone without a word"],fifty:["Fifty at once","fifty clients connect at the same time"],burst:["A burst of 1,000","a thousand clients, as fast as they can"],"kill-worker":["Kill a worker","a thread or process of the server dies"]},Un=250,me=M("figure"),wt=[new U({title:"Connections a second",series:[{name:"",of:({rate:r})=>r}],format:Ne,least:10}),new U({title:"Life of a connection",series:[{name:"p50",of:({p50_us:r})=>r},{name:"p99",of:({p99_us:r})=>r}],format:v,least:1e3}),new U({title:"CPU",series:[{name:"",of:({cpu:r})=>r}],format:r=>\`\${Ae(r)} of a core\`,least:1}),new U({title:"Memory",series:[{name:"",of:({memory_bytes:r})=>r}],format:De,least:2**20,unit:2**20})],bt,fe=!1;$(document,L);M("charts").append(...wt.map(({root:r})=>r));setInterval(Dn,Un);new j({begins:In,lines:$n,state:Rn});function M(r){return document.getElementById(r)}async function On(){let r;try{r=await(await fetch("about")).json()}catch{return}let{mode:e,protocol:t,address:n,runtime:o,version:i,details:s=[],actions:a=[]}=r;b(M("name"),String(e??"Handshake")),document.title=\`\${String(e??"Handshake")}, live\`;let d=[t,n,...s,o,i&&\`version \${i}\`];b(M("about"),d.filter(u=>u!==void 0).map(String).join(" · ")),M("actions").hidden=a.length===0,M("buttons").replaceChildren(...a.map(u=>{let[l,c]=Ln[u]??[String(u),""],f=h("button",{text:l,attributes:{type:"button",title:c}});return f.addEventListener("click",()=>{Cn(String(u),f)}),f}))}async function Cn(r,e){e.disabled=!0;try{let t=await fetch("do",{method:"POST",body:new URLSearchParams({action:r})}),n=(await t.text()).trim();b(M("answer"),n===""?\`The answer is \${t.status}.\`:n)}catch{b(M("answer"),"The server does not answer.")}finally{e.disabled=!fe,e.focus()}}function In(){On()}function $n(r){for(let e of r)e.type==="recording"&&(me.startLive(e.began_us===bt),bt=e.began_us);me.appendLines(r)}function Rn({kind:r,text:e,page:t}){let n=M("state");n.dataset.state=r,b(n,e),fe=r==="live"||r==="silent",fe||me.stopLive();for(let i of M("buttons").querySelectorAll("button"))i.disabled=!fe;if(t===void 0||!Pn(t))return;let o=h("a",{text:"Its page",attributes:{href:t}});n.append(" ",o)}function Pn(r){return URL.canParse(r)&&new URL(r).protocol==="http:"}function Nn(r){return r.replaceAll("_"," ").replace(/[A-Z]/g,e=>\` \${e.toLowerCase()}\`)}function Dn(){if(document.hidden)return;let{us:r,scene:e}=me,{figures:t}=e;for(let s of wt)s.show(t,r);let n=e.countersAt(r)??{},o=M("counters"),i=Object.keys(n);o.dataset.names!==i.join()&&(o.dataset.names=i.join(),o.replaceChildren(...i.map(s=>h("div",{children:[h("dt",{text:Nn(s)}),h("dd")]}))));for(let[s,a]of[...o.querySelectorAll("dd")].entries())b(a,x(n[i[s]]??0))}})();
;
    </script>
  </body>
</html>
`;
