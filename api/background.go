package api

import (
	"context"
	"sync"
)

// background is work that goes on after its request was answered, until it is
// done or the API is closed.
type background struct {
	ctx    context.Context
	cancel context.CancelFunc
	mutex  sync.Mutex
	work   sync.WaitGroup
}

func newBackground() *background {
	b := &background{}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// run starts work with the values of a request's context, unless the API is
// closed.
func (b *background) run(request context.Context, work func(context.Context)) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.ctx.Err() != nil {
		return
	}
	b.work.Go(func() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(request))
		defer cancel()
		defer context.AfterFunc(b.ctx, cancel)()
		work(ctx)
	})
}

func (b *background) end() {
	b.mutex.Lock()
	b.cancel()
	b.mutex.Unlock()
	b.work.Wait()
}
