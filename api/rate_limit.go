package api

import (
	"crypto/sha256"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

	"github.com/relance/relance/store"
)

const (
	// defaultRate is how many requests a second one caller may make.
	defaultRate = 100
	// unknownPerSecond is how many credentials that this process has not met yet may
	// be tried from one place. A browser tries one; whoever makes them up, many.
	unknownPerSecond = 20
	// mostCallers bounds the memory that counting takes, some 200 bytes each.
	mostCallers = 10_000
)

// callers counts the requests of each session and token on this process. With n
// processes a caller may make n times as many.
type callers struct {
	perSecond int
	mutex     sync.Mutex
	limiters  map[[sha256.Size]byte]*rate.Limiter
}

func newCallers(perSecond int) *callers {
	if perSecond == 0 {
		perSecond = defaultRate
	}
	return &callers{perSecond: perSecond, limiters: map[[sha256.Size]byte]*rate.Limiter{}}
}

// burst is what a caller who was idle may ask at once.
func (c *callers) burst() int { return 2 * c.perSecond }

// take counts a request, and tells how many more may follow at once. What is
// refused is not counted.
func (c *callers) take(caller [sha256.Size]byte, at time.Time) (left float64, allowed bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	limiter := c.limiters[caller]
	if limiter == nil {
		if len(c.limiters) >= mostCallers {
			c.forgetIdle(at)
		}
		limiter = rate.NewLimiter(rate.Limit(c.perSecond), c.burst())
		c.limiters[caller] = limiter
	}
	allowed = limiter.AllowN(at, 1)
	return limiter.TokensAt(at), allowed
}

// knows tells whether requests of a caller are being counted.
func (c *callers) knows(caller [sha256.Size]byte) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.limiters[caller] != nil
}

// forget begins anew with a caller.
func (c *callers) forget(caller [sha256.Size]byte) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.limiters, caller)
}

// forgetIdle drops who has used nothing up, which changes nothing for them. If
// that is nobody everybody is forgiven: memory comes first.
func (c *callers) forgetIdle(at time.Time) {
	for caller, limiter := range c.limiters {
		if limiter.TokensAt(at) >= float64(c.burst()) {
			delete(c.limiters, caller)
		}
	}
	if len(c.limiters) >= mostCallers {
		clear(c.limiters)
	}
}

// limit keeps one session or token from taking what all need, and tells it where
// it stands as draft-ietf-httpapi-ratelimit-headers-10 has it. It comes after
// authentication: only what is somebody's is counted, so made-up tokens take no
// memory. Webhooks and what anybody may call are not counted.
func (a *API) limit(ctx huma.Context, next func(huma.Context)) {
	switch ctx.Operation().Metadata[accessKey] {
	case anyone, provider:
		next(ctx)
		return
	}
	left, allowed := a.callers.take(credential(humagin.Unwrap(ctx).Request), time.Now())
	burst, perSecond := a.callers.burst(), float64(a.callers.perSecond)
	ctx.SetHeader("RateLimit-Policy", fmt.Sprintf(`"caller";q=%d;w=%d`, burst, burst/a.callers.perSecond))
	ctx.SetHeader("RateLimit", fmt.Sprintf(`"caller";r=%d;t=%d`, max(0, int(left)), int(math.Ceil((float64(burst)-left)/perSecond))))
	if !allowed {
		wait := time.Duration((1 - left) / perSecond * float64(time.Second))
		a.refuse(ctx, tooMany(wait, fmt.Sprintf("One session or token may make %d requests a second.", a.callers.perSecond)))
		return
	}
	next(ctx)
}

// mayTry keeps who makes credentials up from making the database look each of
// them up. Whoever was recognised before is not concerned, wherever they come from.
func (a *API) mayTry(c *gin.Context) error {
	if a.callers.knows(credential(c.Request)) {
		return nil
	}
	place := sha256.Sum256([]byte(store.Place(address(c)).String()))
	if left, allowed := a.strangers.take(place, time.Now()); !allowed {
		return tooMany(time.Duration((1-left)/unknownPerSecond*float64(time.Second)), "Too many unknown tokens or sessions were tried from this address.")
	}
	return nil
}

// credential is what a caller is recognised by, hashed.
func credential(request *http.Request) [sha256.Size]byte {
	return sha256.Sum256([]byte(presented(request)))
}
